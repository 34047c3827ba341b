import { beforeAll, describe, expect, it } from 'vitest'
import { aDraft, giveGrant } from '../support/builders/courses.ts'
import { aCourse, aLearner, withAccessRevoked } from '../support/builders/learning.ts'
import { aVerified } from '../support/builders/auth.ts'
import { aStudent, anAdmin, anInstructor } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

const DAY = 24 * 60 * 60
const NOWHERE = 'f'.repeat(24)

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

describe('granting and revoking access', () => {
  it('lets the author grant it by id or e-mail, for good or until a day', async () => {
    const taught = await aCourse(lms)
    const { courseId, owner } = taught
    const [one, two] = [await aStudent(lms, 'Asha Rao'), await aVerified(lms, 'Ravi Nair')]
    const until = new Date(lms.clock.now().getTime() + 30 * DAY * 1000)
    await owner.api.enrollments.grant.mutate({ courseId, userId: one.user.id })
    const entry = await owner.api.enrollments.grant.mutate({
      courseId,
      email: two.user.email.toUpperCase(),
      until,
    })
    expect(entry).toMatchObject({ name: 'Ravi Nair', isActive: true, until, percent: 0 })
    const { items } = await two.api.enrollments.mine.query({})
    expect(items).toMatchObject([{ courseId, isActive: true, until }])
  })

  it('lets access expire, and extends it', async () => {
    const taught = await aCourse(lms)
    const { courseId, owner } = taught
    const { api, user } = await aStudent(lms)
    const inDays = (days: number) => new Date(lms.clock.now().getTime() + days * DAY * 1000)
    const grant = (until?: Date) =>
      owner.api.enrollments.grant.mutate({ courseId, userId: user.id, ...(until && { until }) })
    await grant(inDays(1))
    lms.clock.advance(2 * DAY)
    await owner.api.auth.confirmPassword.mutate({ password: owner.password })
    await refused(api.progress.get.query({ courseId }), 'NOT_ENROLLED')
    await grant(inDays(1))
    expect(await api.progress.get.query({ courseId })).toMatchObject({ percent: 0 })
    const extended = await grant()
    expect(extended).toMatchObject({ isActive: true, until: null })
    expect(extended.grants).toHaveLength(2)
    expect((await grant(inDays(5))).grants).toHaveLength(2)
  })

  it('keeps one grant however often it is extended, also by many at once', async () => {
    const { courseId, owner } = await aCourse(lms)
    const { user } = await aStudent(lms)
    const at = lms.clock.now().getTime()
    const inDays = (days: number) => new Date(at + days * DAY * 1000)
    const grant = (days: number) =>
      owner.api.enrollments.grant.mutate({ courseId, userId: user.id, until: inDays(days) })
    for (const days of [1, 2, 3]) await grant(days)
    await Promise.all([4, 9, 5, 8, 6, 7].map(grant))
    const [entry] = (await owner.api.enrollments.list.query({ courseId })).items
    expect(entry?.grants).toMatchObject([{ kind: 'ADMIN', until: inDays(9) }])
    await owner.api.enrollments.revoke.mutate({ courseId, userId: user.id })
    expect((await grant(1)).grants).toMatchObject([{ until: inDays(9) }, { until: inDays(1) }])
  })

  it('extends nothing that was revoked at the same moment', async () => {
    const { courseId, owner } = await aCourse(lms)
    const { user } = await aStudent(lms)
    const who = { courseId, userId: user.id }
    const at = lms.clock.now().getTime()
    await owner.api.enrollments.grant.mutate({ ...who, until: new Date(at + DAY * 1000) })
    await Promise.all([
      owner.api.enrollments.grant.mutate({ ...who, until: new Date(at + 2 * DAY * 1000) }),
      owner.api.enrollments.revoke.mutate(who),
    ])
    const [entry] = (await owner.api.enrollments.list.query({ courseId })).items
    const [first, second] = entry?.grants ?? []
    expect(first?.revokedAt).toBeInstanceOf(Date)
    expect(entry?.isActive).toBe(second !== undefined)
  })

  it('refuses a key it does not know, and a course that was never published', async () => {
    const { courseId, owner } = await aCourse(lms)
    const { user, api } = await aStudent(lms)
    const misspelt = { courseId, userId: user.id, expiresAt: new Date(0) }
    const unknown = await refused(owner.api.enrollments.grant.mutate(misspelt), 'INVALID_INPUT')
    expect(unknown).toEqual([{ path: '', message: 'has a field that is not known here' }])
    const draft = await aDraft(lms)
    const early = { courseId: draft.course.id, userId: user.id }
    const issues = await refused(draft.owner.api.enrollments.grant.mutate(early), 'INVALID_INPUT')
    expect(issues).toEqual([{ path: 'courseId', message: 'was never published' }])
    expect((await api.enrollments.mine.query({})).items).toEqual([])
  })

  it('revokes what was granted, and audits both', async () => {
    const taught = await aCourse(lms)
    const student = await aLearner(lms, taught)
    await withAccessRevoked(taught, student)
    await refused(student.api.progress.get.query({ courseId: taught.courseId }), 'NOT_ENROLLED')
    const { items } = await student.api.enrollments.mine.query({})
    expect(items).toMatchObject([{ isActive: false, until: null }])
    await withAccessRevoked(taught, student)
    const target = `course:${taught.courseId}`
    const acts = await lms.db.orm.audit_entries.where({ target }).orderBy({ at: 1 }).all()
    expect(acts.map(({ act }) => act).filter((act) => act.startsWith('enrollments.'))).toEqual([
      'enrollments.granted',
      'enrollments.revoked',
    ])
    const again = { courseId: taught.courseId, userId: student.user.id }
    expect(await taught.owner.api.enrollments.grant.mutate(again)).toMatchObject({ isActive: true })
  })

  it('leaves alone what was paid for', async () => {
    const { courseId, owner } = await aCourse(lms)
    const { user, api } = await aStudent(lms)
    await giveGrant(lms, { userId: user.id, courseId })
    await lms.db.driver
      .collection('enrollments')
      .updateOne({ 'grants.key': `test:${user.id}` }, { $set: { 'grants.0.kind': 'PAID' } })
    const reason = 'I do not like them'
    const revoke = owner.api.enrollments.revoke.mutate({ courseId, userId: user.id, reason })
    await refused(revoke, 'PAID_ACCESS')
    expect(await api.progress.get.query({ courseId })).toMatchObject({ courseId })
  })

  it('shows names to the author, and addresses to administrators alone', async () => {
    const taught = await aCourse(lms, { lessons: 2 })
    const [first, second] = [await aLearner(lms, taught, 'A One'), await aLearner(lms, taught)]
    const { courseId, lessonIds } = taught
    await first.api.progress.complete.mutate({ courseId, lessonId: lessonIds[0] ?? '' })
    const page = await taught.owner.api.enrollments.list.query({ courseId, limit: 1 })
    expect(page.items).toMatchObject([{ userId: second.user.id, email: null, percent: 0 }])
    const rest = await taught.owner.api.enrollments.list.query({
      courseId,
      limit: 1,
      cursor: page.nextCursor ?? '',
    })
    expect(rest).toMatchObject({
      items: [{ userId: first.user.id, name: 'A One', email: null, percent: 50 }],
      nextCursor: null,
    })
    const all = await (await anAdmin(lms)).api.enrollments.list.query({ courseId })
    expect(all.items.map(({ email }) => email)).toEqual([second.user.email, first.user.email])
    expect(JSON.stringify([page, rest])).not.toContain('@')
  })

  it('refuses everyone else, and what makes no sense', async () => {
    const { courseId, owner } = await aCourse(lms)
    const { user, api } = await aStudent(lms)
    const other = await anInstructor(lms)
    const admission = { courseId, userId: user.id }
    await refused(api.enrollments.grant.mutate(admission), 'FORBIDDEN')
    await refused(api.enrollments.list.query({ courseId }), 'FORBIDDEN')
    await refused(other.api.enrollments.grant.mutate(admission), 'FORBIDDEN')
    await refused(other.api.enrollments.list.query({ courseId }), 'FORBIDDEN')
    const reason = 'Because'
    await refused(other.api.enrollments.revoke.mutate({ ...admission, reason }), 'FORBIDDEN')
    const draft = await aDraft(lms)
    const hidden = other.api.enrollments.list.query({ courseId: draft.course.id })
    await refused(hidden, 'NOT_FOUND')

    const { grant, revoke, list } = owner.api.enrollments
    await refused(grant.mutate({ courseId }), 'INVALID_INPUT')
    await refused(grant.mutate({ ...admission, email: user.email }), 'INVALID_INPUT')
    const past = new Date(lms.clock.now().getTime() - 1000)
    await refused(grant.mutate({ ...admission, until: past }), 'INVALID_INPUT')
    await refused(grant.mutate({ courseId, userId: NOWHERE }), 'NOT_FOUND')
    await refused(grant.mutate({ courseId, email: 'nobody@example.test' }), 'NOT_FOUND')
    await refused(grant.mutate({ courseId, userId: owner.user.id }), 'OWN_COURSE')
    await refused(revoke.mutate({ courseId, userId: NOWHERE, reason }), 'NOT_FOUND')
    await refused(list.query({ courseId, cursor: 'nonsense' }), 'INVALID_INPUT')
    expect(await list.query({ courseId })).toEqual({ items: [], nextCursor: null })
  })

  it('adds one grant of ten requests at once', async () => {
    const { courseId, owner } = await aCourse(lms)
    const { user } = await aStudent(lms)
    const admission = { courseId, userId: user.id }
    const entries = await Promise.all(
      Array.from({ length: 10 }, () => owner.api.enrollments.grant.mutate(admission)),
    )
    expect(entries.map(({ grants }) => grants.length)).toEqual(Array(10).fill(1))
  })
})
