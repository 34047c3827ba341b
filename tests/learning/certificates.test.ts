import { beforeAll, describe, expect, it } from 'vitest'
import { restoreGrant, revokeGrant } from '../../src/learning/access/grant-changes.ts'
import { addGrant } from '../../src/learning/access/grants.ts'
import { aVerified } from '../support/builders/auth.ts'
import {
  aCourse,
  aLearner,
  aQuizCourse,
  withAccessRevoked,
  passed,
  type Taught,
} from '../support/builders/learning.ts'
import { aStudent, anAdmin, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

async function finish({ courseId, lessonIds }: Taught, { api }: Person) {
  for (const lessonId of lessonIds) await api.progress.complete.mutate({ courseId, lessonId })
}

/** Someone who has done all of a course. */
async function aGraduate(name = 'Asha Rao') {
  const taught = await aCourse(lms, { lessons: 2 })
  const student = await aLearner(lms, taught, name)
  await finish(taught, student)
  return { ...taught, student }
}

describe('a certificate', () => {
  it('is issued once the whole course is done, and anyone can check it', async () => {
    const { courseId, course, student } = await aGraduate('Ravi Nair')
    const claimed = await student.api.certificates.claim.mutate({ courseId })
    expect(claimed).toMatchObject({
      courseId,
      status: 'VALID',
      holderName: 'Ravi Nair',
      courseTitle: course.title,
      revokedAt: null,
    })
    expect(claimed.publicId).toMatch(/^[\w-]{22}$/)
    expect(await student.api.certificates.claim.mutate({ courseId })).toEqual(claimed)
    expect(await student.api.certificates.get.query({ courseId })).toEqual(claimed)
    expect(claimed.id).toBe(claimed.publicId)
    const { get } = student.api.certificates
    for (const named of [{ id: claimed.id }, { publicId: claimed.id }])
      expect(await get.query(named)).toEqual(claimed)
    const other = await aStudent(lms)
    await refused(other.api.certificates.get.query({ id: claimed.id }), 'NOT_FOUND')
    const own = await student.api.certificates.mine.query()
    expect(own).toEqual({ items: [claimed], nextCursor: null })
    const { publicId } = claimed
    const verified = await lms.visitor().api.certificates.verify.query({ publicId })
    expect({ ...verified, courseId }).toEqual(claimed)
    expect(Object.keys(verified)).not.toContain('courseId')
  })

  it('needs the quizzes passed too', async () => {
    const examined = await aQuizCourse(lms)
    const student = await aLearner(lms, examined)
    const { courseId } = examined
    await finish(examined, student)
    await refused(student.api.certificates.claim.mutate({ courseId }), 'NOT_COMPLETED')
    const failed = await student.api.quizzes.start.mutate(examined.ref)
    await student.api.quizzes.submit.mutate({ attemptId: failed.id, answers: [] })
    await refused(student.api.certificates.claim.mutate({ courseId }), 'NOT_COMPLETED')
    await passed(examined, student)
    const claimed = await student.api.certificates.claim.mutate({ courseId })
    expect(claimed.status).toBe('VALID')
  })

  it('keeps the names of the day it was issued, and outlives the access', async () => {
    const graduate = await aGraduate('Asha Rao')
    const { courseId, student, owner } = graduate
    const claimed = await student.api.certificates.claim.mutate({ courseId })
    await owner.api.courses.update.mutate({ id: courseId, title: 'Something else entirely' })
    await lms.db.orm.users.where({ _id: student.user.id }).update({ name: 'Another Name' })
    await withAccessRevoked(graduate, student)
    const { publicId } = claimed
    const verified = await lms.visitor().api.certificates.verify.query({ publicId })
    expect(verified).toMatchObject({
      holderName: 'Asha Rao',
      courseTitle: graduate.course.title,
      status: 'VALID',
    })
    expect(await student.api.certificates.claim.mutate({ courseId })).toEqual(claimed)
  })

  it('is not valid while the course is refunded', async () => {
    const taught = await aCourse(lms, { lessons: 1 })
    const { courseId, course, lessonIds } = taught
    const student = await aVerified(lms)
    const whose = { userId: student.user.id, courseId, key: 'order:test:0' }
    await addGrant(lms.deps, { ...whose, grant: { key: whose.key, kind: 'PAID' } })
    await student.api.progress.complete.mutate({ courseId, lessonId: lessonIds[0] ?? '' })
    const claimed = await student.api.certificates.claim.mutate({ courseId })
    const { publicId } = claimed
    const verify = () => lms.visitor().api.certificates.verify.query({ publicId })
    await revokeGrant(lms.deps, { ...whose, reason: 'refunded' })
    const revoked = await verify()
    expect(revoked).toMatchObject({ publicId, status: 'REVOKED', courseTitle: course.title })
    expect(revoked.revokedAt).toBeInstanceOf(Date)
    const own = await student.api.certificates.get.query({ courseId })
    expect(own).toEqual({ ...revoked, courseId })
    expect((await student.api.certificates.mine.query()).items).toEqual([own])
    expect(await student.api.certificates.claim.mutate({ courseId })).toEqual(own)
    await restoreGrant(lms.deps, { ...whose, reason: 'money kept after all' })
    expect((await verify()).status).toBe('VALID')
  })

  it('can be revoked by an administrator, keeps its id and says so', async () => {
    const { courseId, student, owner } = await aGraduate()
    const { publicId } = await student.api.certificates.claim.mutate({ courseId })
    const reason = 'Obtained by someone else'
    for (const { api } of [student, owner])
      await refused(api.certificates.revoke.mutate({ publicId, reason }), 'FORBIDDEN')
    const admin = await anAdmin(lms)
    const revoked = await admin.api.certificates.revoke.mutate({ publicId, reason })
    expect(revoked.status).toBe('REVOKED')
    expect(revoked.revokedAt).toBeInstanceOf(Date)
    lms.clock.advance(60)
    expect(await admin.api.certificates.revoke.mutate({ publicId, reason })).toEqual(revoked)
    expect(await lms.visitor().api.certificates.verify.query({ publicId })).toEqual(revoked)
    const claimed = await student.api.certificates.claim.mutate({ courseId })
    expect(claimed).toMatchObject({ publicId, status: 'REVOKED' })
    const target = `certificate:${publicId}`
    expect(await lms.db.orm.audit_entries.where({ target }).all()).toMatchObject([
      { act: 'certificates.revoked', actorId: admin.user.id, after: { reason } },
    ])
  })

  it('is refused to those who are not through, who left, or who never came', async () => {
    const taught = await aCourse(lms, { lessons: 2 })
    const { courseId, lessonIds, owner } = taught
    const [half, left, stranger] = [
      await aLearner(lms, taught),
      await aLearner(lms, taught),
      await aStudent(lms),
    ]
    await half.api.progress.complete.mutate({ courseId, lessonId: lessonIds[0] ?? '' })
    await finish(taught, left)
    await withAccessRevoked(taught, left)
    await refused(half.api.certificates.claim.mutate({ courseId }), 'NOT_COMPLETED')
    for (const { api } of [left, stranger, owner])
      await refused(api.certificates.claim.mutate({ courseId }), 'NOT_ENROLLED')
    await refused(lms.visitor().api.certificates.claim.mutate({ courseId }), 'UNAUTHENTICATED')
    await refused(half.api.certificates.get.query({ courseId }), 'NOT_FOUND')
    const unknown = { publicId: 'A'.repeat(22) }
    await refused(lms.visitor().api.certificates.verify.query(unknown), 'NOT_FOUND')
    expect(await lms.db.orm.certificates.where({ courseId }).all()).toEqual([])
  })

  it('is one for ten claims at once', async () => {
    const { courseId, student } = await aGraduate()
    const claims = Array.from({ length: 10 }, () =>
      student.api.certificates.claim.mutate({ courseId }),
    )
    const ids = (await Promise.all(claims)).map(({ publicId }) => publicId)
    expect(new Set(ids).size).toBe(1)
  })
})
