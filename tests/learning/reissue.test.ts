import { beforeAll, describe, expect, it } from 'vitest'
import { aCourse, aLearner } from '../support/builders/learning.ts'
import { anAdmin, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
let admin: Person
beforeAll(async () => {
  lms = await startLms()
  admin = await anAdmin(lms)
})

/** Somebody with a certificate under a name that is misspelt. */
async function aHolder(name = 'Ahsa Rao') {
  const taught = await aCourse(lms, { lessons: 1 })
  const { courseId, lessonId } = taught
  const student = await aLearner(lms, taught, name)
  await student.api.progress.complete.mutate({ courseId, lessonId })
  const first = await student.api.certificates.claim.mutate({ courseId })
  return { ...student, courseId, first }
}

const verify = (publicId: string) => lms.visitor().api.certificates.verify.query({ publicId })

describe('a certificate under a wrong name', () => {
  it('is replaced by its holder, once, and says by which', async () => {
    const { api, courseId, first } = await aHolder()
    expect(await api.certificates.reissue.mutate({ courseId })).toEqual(first)
    await api.account.update.mutate({ name: 'Asha Rao' })
    const second = await api.certificates.reissue.mutate({ courseId })
    expect(second).toMatchObject({ status: 'VALID', holderName: 'Asha Rao', replacedBy: null })
    expect(second.publicId).not.toBe(first.publicId)
    expect(await verify(first.publicId)).toMatchObject({
      status: 'REPLACED',
      holderName: 'Ahsa Rao',
      replacedBy: second.publicId,
    })
    expect(await api.certificates.claim.mutate({ courseId })).toEqual(second)
    expect(await api.certificates.get.query({ courseId })).toEqual(second)
    expect((await api.certificates.mine.query()).items).toEqual([second])
    expect(await api.certificates.reissue.mutate({ courseId })).toEqual(second)
    await api.account.update.mutate({ name: 'Somebody Else' })
    await refused(api.certificates.reissue.mutate({ courseId }), 'CERTIFICATE_CORRECTED')
    const target = `certificate:${first.publicId}`
    expect(await lms.db.orm.audit_entries.where({ target }).all()).toMatchObject([
      { act: 'certificates.reissued', after: { replacedBy: second.publicId } },
    ])
  })

  it('is replaced by an administrator as often as it takes, under any name', async () => {
    const { first, api } = await aHolder()
    const reissue = (publicId: string, holderName?: string) =>
      admin.api.certificates.reissueFor.mutate({
        publicId,
        reason: 'misspelt',
        ...(holderName !== undefined && { holderName }),
      })
    await refused(
      api.certificates.reissueFor.mutate({ publicId: first.publicId, reason: 'x' }),
      'FORBIDDEN',
    )
    const second = await reissue(first.publicId, 'Aşa Rao')
    const third = await reissue(first.publicId, 'Asha Rao')
    for (const { publicId } of [first, second])
      expect(await verify(publicId)).toMatchObject({
        status: 'REPLACED',
        replacedBy: third.publicId,
      })
    expect(await verify(third.publicId)).toMatchObject({ status: 'VALID', holderName: 'Asha Rao' })
    await refused(reissue('A'.repeat(22)), 'NOT_FOUND')
  })
})

describe('a certificate that was revoked', () => {
  it('is issued anew by an administrator alone; the old one stays revoked', async () => {
    const { api, courseId, first } = await aHolder()
    const { publicId } = first
    await admin.api.certificates.revoke.mutate({ publicId, reason: 'by mistake' })
    await api.account.update.mutate({ name: 'Asha Rao' })
    await refused(api.certificates.reissue.mutate({ courseId }), 'CERTIFICATE_REVOKED')
    const next = await admin.api.certificates.reissueFor.mutate({
      publicId,
      reason: 'it was right',
    })
    expect(next).toMatchObject({ status: 'VALID', holderName: 'Asha Rao' })
    expect(await verify(publicId)).toMatchObject({ status: 'REVOKED', replacedBy: next.publicId })
    expect(await api.certificates.claim.mutate({ courseId })).toMatchObject(next)
    await admin.api.certificates.revoke.mutate({ publicId, reason: 'asked twice' })
    expect((await verify(next.publicId)).status).toBe('VALID')
  })

  it('takes with it the one that stands in its place', async () => {
    const { api, courseId, first } = await aHolder()
    await api.account.update.mutate({ name: 'Asha Rao' })
    const second = await api.certificates.reissue.mutate({ courseId })
    await admin.api.certificates.revoke.mutate({ publicId: first.publicId, reason: 'cheated' })
    expect((await verify(second.publicId)).status).toBe('REVOKED')
  })
})

describe('at the same moment', () => {
  it('ten wishes for a corrected certificate make one', async () => {
    const { api, user, courseId } = await aHolder()
    await api.account.update.mutate({ name: 'Asha Rao' })
    const wishes = Array.from({ length: 10 }, () => api.certificates.reissue.mutate({ courseId }))
    const ids = (await Promise.all(wishes)).map(({ publicId }) => publicId)
    expect(new Set(ids).size).toBe(1)
    expect(await lms.db.orm.certificates.where({ userId: user.id }).all()).toHaveLength(2)
  })

  it('a revocation is not escaped by having it replaced', async () => {
    for (let round = 0; round < 6; round += 1) {
      const { api, user, courseId, first } = await aHolder()
      await api.account.update.mutate({ name: 'Asha Rao' })
      const { publicId } = first
      await Promise.allSettled([
        api.certificates.reissue.mutate({ courseId }),
        admin.api.certificates.revoke.mutate({ publicId, reason: 'cheated' }),
      ])
      const rows = await lms.db.orm.certificates.where({ userId: user.id }).all()
      expect(rows.filter(({ revokedAt }) => !revokedAt)).toEqual([])
    }
  })
})
