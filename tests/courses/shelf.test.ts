// A course is sold by an author who may sell. When they may not, it leaves every shelf, and those who hold it keep it.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { aCourse, aLearner, type Taught } from '../support/builders/learning.ts'
import { anOrder, pay } from '../support/builders/orders.ts'
import { aStudent, anAdmin, anInstructor, type Person } from '../support/builders/people.ts'
import { refused, type Visitor } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { expectSound, isIn } from '../support/order-checks.ts'

let lms: Lms
let admin: Person
beforeAll(async () => {
  lms = await startLms()
})
beforeEach(async () => {
  admin = await anAdmin(lms)
})

type Deed = (taught: Taught) => Promise<unknown>
const users = () => admin.api.users
const disable: Deed = ({ owner }) => users().disable.mutate({ userId: owner.user.id })
const enable: Deed = ({ owner }) => users().enable.mutate({ userId: owner.user.id })
const demote: Deed = ({ owner }) =>
  users().setRole.mutate({ userId: owner.user.id, role: 'STUDENT' })
const promote: Deed = ({ owner }) =>
  users().setRole.mutate({ userId: owner.user.id, role: 'INSTRUCTOR' })

/** On sale for so much, with a lesson that anybody can see. */
async function aShownCourse(pricePaise = 49_900): Promise<Taught> {
  const taught = await aCourse(lms, { lessons: 2, pricePaise })
  const { owner, courseId, lessonId } = taught
  await owner.api.courses.updateLesson.mutate({ courseId, lessonId, preview: true })
  return taught
}

async function isListed({ courseId, course }: Taught): Promise<boolean> {
  const { list } = lms.visitor().api.courses
  const pages = [
    await list.query({ limit: 100 }),
    await list.query({ q: course.title, limit: 100 }),
    await list.query({ category: course.category, sort: 'price-asc', limit: 100 }),
  ]
  const found = new Set(pages.map(({ items }) => items.some(({ id }) => id === courseId)))
  expect(found.size).toBe(1)
  return found.has(true)
}

/** Every door through which somebody comes who does not hold the course. */
function doors({ courseId, lessonId, course }: Taught, { api }: Person, stranger: Visitor) {
  const { slug } = course
  return [
    () => stranger.api.courses.bySlug.query({ slug }),
    () => api.courses.bySlug.query({ slug }),
    () => stranger.api.lessons.open.query({ courseId, lessonId }),
    () => stranger.api.lessons.explainAccess.query({ courseId, lessonId }),
    () => stranger.api.reviews.list.query({ courseId }),
    () => api.coupons.preview.query({ courseIds: [courseId], code: 'SHELF' }),
    () => api.orders.create.mutate({ courseIds: [courseId] }),
  ]
}

beforeAll(async () => {
  const terms = { code: 'SHELF', kind: 'PERCENT', value: 10, maxPerUser: null } as const
  await (await anAdmin(lms)).api.coupons.create.mutate(terms)
})

describe.each([
  ['disabled', disable, enable],
  ['made a student', demote, promote],
] as const)('the courses of an author who is %s', (_what, takeOff, putBack) => {
  it('leave every shelf, and come back with their author', async () => {
    const taught = await aShownCourse()
    const free = await aCourse(lms, { lessons: 1, pricePaise: 0 })
    const student = await aStudent(lms)
    const start = () => student.api.enrollments.start.mutate({ courseId: free.courseId })
    await takeOff(taught)
    await takeOff(free)
    expect(await isListed(taught)).toBe(false)
    for (const door of doors(taught, student, lms.visitor())) await refused(door(), 'NOT_FOUND')
    await refused(start(), 'NOT_FOUND')
    const other = await anInstructor(lms)
    await refused(other.api.courses.authoring.query({ courseId: taught.courseId }), 'NOT_FOUND')
    await putBack(taught)
    await putBack(free)
    expect(await isListed(taught)).toBe(true)
    for (const door of doors(taught, student, lms.visitor())) await door()
    expect(await start()).toMatchObject({ isActive: true })
  })

  it('stay with those who hold them', async () => {
    const taught = await aShownCourse()
    const student = await aLearner(lms, taught)
    await takeOff(taught)
    const { courseId, lessonIds, course } = taught
    const lessonId = lessonIds[1] ?? ''
    const { api } = student
    expect(await api.courses.bySlug.query({ slug: course.slug })).toMatchObject({ isOnSale: false })
    expect(await api.lessons.open.query({ courseId, lessonId })).toMatchObject({ kind: 'TEXT' })
    await api.progress.complete.mutate({ courseId, lessonId })
    expect(await isIn(student, courseId)).toBe(true)
  })

  it('are paid for by whoever had opened an order before', async () => {
    const taught = await aShownCourse()
    const opened = await anOrder(lms, { courseIds: [taught.courseId] })
    const paid = pay(lms, opened)
    await takeOff(taught)
    const order = await opened.buyer.api.orders.verify.mutate(paid)
    expect(order.status).toBe('FULFILLED')
    expect(await isIn(opened.buyer, taught.courseId)).toBe(true)
    await expectSound(lms)
  })

  it('are put on no shelf by being published', async () => {
    const taught = await aShownCourse()
    await takeOff(taught)
    const { stats } = admin.api.admin
    const before = (await stats.query()).publishedCourses
    await admin.api.courses.unpublish.mutate({ id: taught.courseId })
    const published = await admin.api.courses.publish.mutate({ id: taught.courseId })
    expect(published).toMatchObject({ status: 'PUBLISHED', isOnSale: false })
    expect(await isListed(taught)).toBe(false)
    expect((await stats.query()).publishedCourses).toBe(before)
  })
})

describe('an author', () => {
  it('of several courses, with drafts among them, has each where it was', async () => {
    const taught = await aShownCourse()
    const { owner } = taught
    const draft = await owner.api.courses.create.mutate({ title: 'Not yet' })
    await disable(taught)
    await demote(taught)
    await enable(taught)
    expect(await isListed(taught)).toBe(false)
    await promote(taught)
    await owner.api.auth.login.mutate({ email: owner.user.email, password: owner.password })
    const { items } = await owner.api.courses.mine.query({})
    expect(items.map(({ id, isOnSale }) => [id, isOnSale])).toEqual([
      [draft.id, false],
      [taught.courseId, true],
    ])
  })

  it('who is no author any more may leave', async () => {
    const taught = await aShownCourse()
    const { api, password } = taught.owner
    await refused(api.account.delete.mutate({ password }), 'HAS_PUBLISHED_COURSES')
    await demote(taught)
    expect(await api.account.delete.mutate({ password })).toBeNull()
    expect(await isListed(taught)).toBe(false)
  })
})

describe('a decision about an author', () => {
  it('holds at once where something is given, and everywhere when a dead process is made good', async () => {
    const taught = await aShownCourse(0)
    const { courseId, owner } = taught
    const { api } = await aStudent(lms)
    // As a process leaves it that dies right after deciding.
    const write = (disabledAt: Date | null) =>
      lms.db.orm.users.where({ _id: owner.user.id }).update({ disabledAt })
    await write(lms.clock.now())
    await refused(api.orders.create.mutate({ courseIds: [courseId] }), 'NOT_FOUND')
    await refused(api.enrollments.start.mutate({ courseId }), 'NOT_FOUND')
    await lms.work()
    expect(await isListed(taught)).toBe(false)
    await write(null)
    await lms.work()
    expect(await isListed(taught)).toBe(true)
  })

  it('and its opposite at the same moment leave the shelf as the account is', async () => {
    const taught = await aShownCourse()
    const _id = taught.owner.user.id
    for (let round = 0; round < 4; round += 1) {
      await Promise.all(
        [disable(taught), enable(taught), disable(taught), enable(taught)].map((one) =>
          one.catch(() => undefined),
        ),
      )
      const account = await lms.db.orm.users.where({ _id }).first()
      expect(await isListed(taught)).toBe(!account?.disabledAt)
    }
  })
})
