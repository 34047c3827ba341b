import { beforeAll, describe, expect, it } from 'vitest'
import { aDraft } from '../support/builders/courses.ts'
import {
  aCourse,
  aLearner,
  aPayingLearner,
  withAccessRevoked,
  type Taught,
} from '../support/builders/learning.ts'
import { aStudent, anAdmin, type Person } from '../support/builders/people.ts'
import { aVerified } from '../support/builders/auth.ts'
import { aSale } from '../support/builders/orders.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const storedRating = async ({ courseId }: Taught) => {
  const course = await lms.db.orm.courses.where({ _id: courseId }).first()
  return { sum: course?.ratingSum, count: course?.ratingCount }
}

const shownRating = async ({ course }: Taught) => {
  const shown = await lms.visitor().api.courses.bySlug.query({ slug: course.slug })
  return [shown.ratingAverage, shown.ratingCount]
}

describe('reviews', () => {
  it('are read by anyone, under the writer’s name and nothing more', async () => {
    const taught = await aCourse(lms)
    const { courseId } = taught
    const student = await aPayingLearner(lms, taught, 'Ravi Nair')
    const body = 'Clear & patient.\n\n<b>Do</b> take it.'
    const put = await student.api.reviews.put.mutate({ courseId, rating: 4, body })
    expect(put).toMatchObject({ authorName: 'Ravi Nair', mine: true, rating: 4, body })
    const { items } = await lms.visitor().api.reviews.list.query({ courseId })
    expect(items).toEqual([{ ...put, mine: false }])
    expect(JSON.stringify(items)).not.toContain(student.user.id)
    expect(await shownRating(taught)).toEqual([4, 1])
  })

  it('are one of each student, who can change it', async () => {
    const taught = await aCourse(lms)
    const { courseId } = taught
    const { api } = await aPayingLearner(lms, taught)
    const first = await api.reviews.put.mutate({ courseId, rating: 1, body: 'Hm.' })
    lms.clock.advance(60)
    const second = await api.reviews.put.mutate({ courseId, rating: 5 })
    expect(second).toMatchObject({ id: first.id, rating: 5, body: '', createdAt: first.createdAt })
    expect(second.updatedAt > first.updatedAt).toBe(true)
    expect((await api.reviews.list.query({ courseId })).items).toEqual([second])
    expect(await storedRating(taught)).toEqual({ sum: 5, count: 1 })
  })

  it('take their text under the names clients expect, and one text only', async () => {
    const taught = await aCourse(lms)
    const { courseId } = taught
    const { api } = await aPayingLearner(lms, taught)
    for (const said of [{ text: 'Good.' }, { comment: 'Good.' }, { body: 'Good.' }]) {
      await api.reviews.put.mutate({ courseId, rating: 3 })
      const { body } = await api.reviews.put.mutate({ courseId, rating: 4, ...said })
      expect([said, body]).toEqual([said, 'Good.'])
    }
    const two = { courseId, rating: 4, body: 'Good.', text: 'Bad.' }
    await refused(api.reviews.put.mutate(two), 'DUPLICATE_PARAMETER')
  })

  it('come newest first, page by page', async () => {
    const taught = await aCourse(lms)
    const { courseId } = taught
    for (const rating of [1, 2, 3, 4, 5]) {
      const { api } = await aPayingLearner(lms, taught)
      await api.reviews.put.mutate({ courseId, rating })
    }
    const { api } = lms.visitor()
    const seen: number[] = []
    let cursor: string | null = null
    do {
      const page: { items: { rating: number }[]; nextCursor: string | null } =
        await api.reviews.list.query({ courseId, limit: 2, ...(cursor !== null && { cursor }) })
      seen.push(...page.items.map(({ rating }) => rating))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(seen).toEqual([5, 4, 3, 2, 1])
    expect(await shownRating(taught)).toEqual([3, 5])
  })

  it('are removed by their writer or an administrator, never by the author', async () => {
    const taught = await aCourse(lms)
    const { courseId, owner } = taught
    const [one, two] = [await aPayingLearner(lms, taught), await aPayingLearner(lms, taught)]
    const good = await one.api.reviews.put.mutate({ courseId, rating: 5 })
    const bad = await two.api.reviews.put.mutate({ courseId, rating: 1 })
    await refused(owner.api.reviews.remove.mutate({ id: bad.id }), 'NOT_FOUND')
    await refused(one.api.reviews.remove.mutate({ id: bad.id }), 'NOT_FOUND')
    await refused(lms.visitor().api.reviews.remove.mutate({ id: bad.id }), 'UNAUTHENTICATED')
    expect(await storedRating(taught)).toEqual({ sum: 6, count: 2 })
    await one.api.reviews.remove.mutate({ id: good.id })
    await refused(one.api.reviews.remove.mutate({ id: good.id }), 'NOT_FOUND')
    expect(await storedRating(taught)).toEqual({ sum: 1, count: 1 })
    const admin = await anAdmin(lms)
    await admin.api.reviews.remove.mutate({ id: bad.id })
    expect(await storedRating(taught)).toEqual({ sum: 0, count: 0 })
    expect(await shownRating(taught)).toEqual([null, 0])
    expect(
      await lms.db.orm.audit_entries.where({ target: `review:${bad.id}` }).all(),
    ).toMatchObject([{ act: 'reviews.removed', actorId: admin.user.id, before: { rating: 1 } }])
  })

  it('are written by those who take the course, about what is on sale', async () => {
    const taught = await aCourse(lms)
    const { courseId, owner } = taught
    const [stranger, left] = [await aStudent(lms), await aLearner(lms, taught)]
    await withAccessRevoked(taught, left)
    const put = ({ api }: Person, id = courseId) =>
      api.reviews.put.mutate({ courseId: id, rating: 5 })
    for (const person of [stranger, left, owner]) await refused(put(person), 'NOT_ENROLLED')
    const draft = await aDraft(lms)
    await refused(put(stranger, draft.course.id), 'NOT_FOUND')
    const list = lms.visitor().api.reviews.list.query({ courseId: draft.course.id })
    await refused(list, 'NOT_FOUND')
    expect(await storedRating(taught)).toEqual({ sum: 0, count: 0 })
  })

  it('take one to five stars and two thousand plain characters', async () => {
    const taught = await aCourse(lms)
    const { courseId } = taught
    const { api } = await aPayingLearner(lms, taught)
    for (const rating of [0, 6, 4.5, -1, NaN])
      await refused(api.reviews.put.mutate({ courseId, rating }), 'INVALID_INPUT')
    for (const body of ['x'.repeat(2_001), 'a\u0000b', 'a\u202eb'])
      await refused(api.reviews.put.mutate({ courseId, rating: 5, body }), 'INVALID_INPUT')
    const operator = { $ne: null } as unknown as string
    await refused(api.reviews.put.mutate({ courseId: operator, rating: 5 }), 'INVALID_INPUT')
    await api.reviews.put.mutate({ courseId, rating: 5, body: 'x'.repeat(2_000) })
    expect(await storedRating(taught)).toEqual({ sum: 5, count: 1 })
  })

  it('are one for ten at once by the same student', async () => {
    const taught = await aCourse(lms)
    const { courseId } = taught
    const { api } = await aPayingLearner(lms, taught)
    await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        api.reviews.put.mutate({ courseId, rating: 1 + (at % 5) }),
      ),
    )
    const { items } = await api.reviews.list.query({ courseId })
    expect(items).toHaveLength(1)
    expect(await storedRating(taught)).toEqual({ sum: items[0]?.rating, count: 1 })
  })
})

describe('reviews of those who paid nothing', () => {
  it('are marked, and no part of the rating: nor are five made while the price was nothing', async () => {
    const taught = await aCourse(lms, { pricePaise: 0 })
    const { courseId, lessonIds, owner } = taught
    const lesson = { courseId, lessonId: lessonIds[0] ?? '' }
    for (let one = 0; one < 5; one += 1) {
      const { api } = await aVerified(lms)
      if (one % 2 === 0) await api.enrollments.start.mutate({ courseId })
      else await api.orders.create.mutate({ courseIds: [courseId] })
      await api.progress.complete.mutate(lesson)
      const put = await api.reviews.put.mutate({ courseId, rating: 5 })
      expect(put).toMatchObject({ source: 'FREE', isCounted: false })
    }
    await owner.api.courses.update.mutate({ id: courseId, pricePaise: 49_900 })
    const guest = await aLearner(lms, taught)
    await guest.api.progress.complete.mutate(lesson)
    await guest.api.reviews.put.mutate({ courseId, rating: 5 })
    const buyer = await aPayingLearner(lms, taught)
    await buyer.api.reviews.put.mutate({ courseId, rating: 2 })
    const { items } = await lms.visitor().api.reviews.list.query({ courseId })
    expect(items.map(({ source, isCounted }) => `${source} ${isCounted}`)).toEqual([
      'PAID true',
      'GIFT false',
      ...Array<string>(5).fill('FREE false'),
    ])
    expect(await storedRating(taught)).toEqual({ sum: 2, count: 1 })
    expect(await shownRating(taught)).toEqual([2, 1])
  })

  it('begin to count when the student buys, and end with the refund', async () => {
    const taught = await aCourse(lms, { pricePaise: 0 })
    const { courseId, lessonIds, owner } = taught
    const student = await aVerified(lms)
    const until = new Date(lms.clock.now().getTime() + 24 * 3_600_000)
    await owner.api.enrollments.grant.mutate({ courseId, userId: student.user.id, until })
    await student.api.progress.complete.mutate({ courseId, lessonId: lessonIds[0] ?? '' })
    await student.api.reviews.put.mutate({ courseId, rating: 3 })
    expect(await storedRating(taught)).toEqual({ sum: 0, count: 0 })
    await owner.api.courses.update.mutate({
      id: courseId,
      pricePaise: 49_900,
      refundMaxPercent: 100,
    })
    const { order } = await aSale(lms, { buyer: student, courseIds: [courseId] })
    expect(await storedRating(taught)).toEqual({ sum: 3, count: 1 })
    await student.api.orders.requestRefund.mutate({ orderId: order.id, courseId })
    for (let round = 0; round < 3; round += 1) await lms.work()
    expect(await storedRating(taught)).toEqual({ sum: 0, count: 0 })
    const { items } = await lms.visitor().api.reviews.list.query({ courseId })
    expect(items).toMatchObject([{ source: 'GIFT', isCounted: false }])
  })

  it('count where the school says so', async () => {
    const school = await startLms({ env: { RATINGS_COUNT_UNPAID: 'true' } })
    const taught = await aCourse(school, { pricePaise: 0, lessons: 1 })
    const { courseId, lessonId } = taught
    const { api } = await aVerified(school)
    await api.enrollments.start.mutate({ courseId })
    await api.progress.complete.mutate({ courseId, lessonId })
    const put = await api.reviews.put.mutate({ courseId, rating: 4 })
    expect(put).toMatchObject({ source: 'FREE', isCounted: true })
    await school.work()
    const course = await school.db.orm.courses.where({ _id: courseId }).first()
    expect(course).toMatchObject({ ratingSum: 4, ratingCount: 1 })
  })

  it('are refused before a fifth of the lessons is done', async () => {
    const taught = await aCourse(lms, { lessons: 6 })
    const { courseId, lessonIds } = taught
    const { api } = await aPayingLearner(lms, taught)
    const put = () => api.reviews.put.mutate({ courseId, rating: 5 })
    await refused(put(), 'REVIEW_TOO_EARLY')
    expect(await lms.db.orm.reviews.where({ courseId }).all()).toEqual([])
    await api.progress.complete.mutate({ courseId, lessonId: lessonIds[1] ?? '' })
    expect(await put()).toMatchObject({ rating: 5, source: 'PAID' })
  })
})
