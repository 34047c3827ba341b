import { beforeAll, describe, expect, it } from 'vitest'
import { restoreGrant, revokeGrant } from '../../src/learning/access/grant-changes.ts'
import { addGrant } from '../../src/learning/access/grants.ts'
import { rebuildRating } from '../../src/learning/ratings.ts'
import {
  aCourse,
  aLearner,
  aPayingLearner,
  withAccessRevoked,
  type Taught,
} from '../support/builders/learning.ts'
import { aVerified } from '../support/builders/auth.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const storedRating = async ({ courseId }: Taught) => {
  const course = await lms.db.orm.courses.where({ _id: courseId }).first()
  return { sum: course?.ratingSum, count: course?.ratingCount }
}

/** Someone who bought the course, gave it so many stars, and how their money goes and comes back. */
async function aBuyer(taught: Taught, rating: number) {
  const { courseId } = taught
  const student = await aVerified(lms)
  const whose = { userId: student.user.id, courseId }
  const key = `order:test-${student.user.id}:0`
  await addGrant(lms.deps, { ...whose, grant: { key, kind: 'PAID' } })
  await student.api.progress.complete.mutate({ courseId, lessonId: taught.lessonIds[0] ?? '' })
  await student.api.reviews.put.mutate({ courseId, rating })
  return {
    ...student,
    refund: () => revokeGrant(lms.deps, { ...whose, key, reason: 'refunded' }),
    restore: () => restoreGrant(lms.deps, { ...whose, key, reason: 'money kept after all' }),
  }
}

const shownStars = async ({ courseId }: Taught) =>
  (await lms.visitor().api.reviews.list.query({ courseId })).items.map(({ rating }) => rating)

/** The database, seen by someone who is interrupted between counting and storing. */
function stoppedBeforeStoring() {
  const [reached, released] = [Promise.withResolvers<null>(), Promise.withResolvers<null>()]
  const stored: unknown[] = []
  const courses = {
    where: (by: { _id: string }) => ({
      updateAndCount: async (totals: { ratingSum: number; ratingCount: number }) => {
        reached.resolve(null)
        await released.promise
        stored.push(totals)
        return lms.db.orm.courses.where(by).updateAndCount(totals)
      },
    }),
  }
  const db = { ...lms.db, orm: { courses } } as unknown as Lms['db']
  const goOn = () => {
    released.resolve(null)
  }
  return { db, stored, reached: reached.promise, goOn }
}

describe('ratings by reviews', () => {
  it('add up, whoever writes, changes and removes at the same time', async () => {
    const taught = await aCourse(lms)
    const { courseId } = taught
    const people = await Promise.all(Array.from({ length: 20 }, () => aPayingLearner(lms, taught)))
    await Promise.all(
      people.map(({ api }, at) => api.reviews.put.mutate({ courseId, rating: 1 + (at % 5) })),
    )
    expect(await storedRating(taught)).toEqual({ sum: 60, count: 20 })
    const { items } = await lms.visitor().api.reviews.list.query({ courseId, limit: 100 })
    expect(items).toHaveLength(20)
    await Promise.all(
      people.map(async ({ api }, at) => {
        if (at % 2 === 0) return api.reviews.put.mutate({ courseId, rating: 5 })
        const mine = await api.reviews.list.query({ courseId, limit: 100 })
        return api.reviews.remove.mutate({ id: mine.items.find((one) => one.mine)?.id ?? '' })
      }),
    )
    expect(await storedRating(taught)).toEqual({ sum: 50, count: 10 })
  })

  it('add up even when an older count is stored after a newer one', async () => {
    const taught = await aCourse(lms)
    const { courseId } = taught
    const [one, two] = [await aPayingLearner(lms, taught), await aPayingLearner(lms, taught)]
    await one.api.reviews.put.mutate({ courseId, rating: 5 })
    const slow = stoppedBeforeStoring()
    const rebuilt = rebuildRating({ db: slow.db }, courseId)
    await slow.reached
    await two.api.reviews.put.mutate({ courseId, rating: 1 })
    slow.goOn()
    await rebuilt
    expect(slow.stored).toEqual([
      { ratingSum: 5, ratingCount: 1 },
      { ratingSum: 6, ratingCount: 2 },
    ])
    expect(await storedRating(taught)).toEqual({ sum: 6, count: 2 })
  })

  it('of a buyer who had the money back do not count, until access is back', async () => {
    const taught = await aCourse(lms)
    const [stays, goes] = [await aBuyer(taught, 4), await aBuyer(taught, 1)]
    await goes.refund()
    expect(await shownStars(taught)).toEqual([4])
    expect(await storedRating(taught)).toEqual({ sum: 4, count: 1 })
    await goes.restore()
    expect(await shownStars(taught)).toEqual([1, 4])
    expect(await storedRating(taught)).toEqual({ sum: 5, count: 2 })
    await goes.refund()
    const { owner, courseId } = taught
    await owner.api.enrollments.grant.mutate({ courseId, userId: goes.user.id })
    expect(await storedRating(taught)).toEqual({ sum: 4, count: 1 })
    expect((await stays.api.reviews.list.query({ courseId })).items).toHaveLength(2)
  })

  it('stay on the page when the author revokes an access that was granted', async () => {
    const taught = await aCourse(lms)
    const { courseId, lessonIds } = taught
    const student = await aLearner(lms, taught)
    await student.api.progress.complete.mutate({ courseId, lessonId: lessonIds[0] ?? '' })
    await student.api.reviews.put.mutate({ courseId, rating: 1 })
    await withAccessRevoked(taught, student)
    expect(await shownStars(taught)).toEqual([1])
    expect(await storedRating(taught)).toEqual({ sum: 0, count: 0 })
  })

  it('add up, whoever is given for nothing what they buy while others write', async () => {
    const taught = await aCourse(lms)
    const { courseId, owner } = taught
    const buyers = await Promise.all(Array.from({ length: 6 }, () => aBuyer(taught, 2)))
    await Promise.all(
      buyers.flatMap((buyer, at) => [
        owner.api.enrollments.grant.mutate({ courseId, userId: buyer.user.id }),
        at % 2 === 0 ? buyer.refund() : buyer.api.reviews.put.mutate({ courseId, rating: 5 }),
      ]),
    )
    expect(await storedRating(taught)).toEqual({ sum: 15, count: 3 })
    await Promise.all(buyers.map((buyer) => buyer.restore()))
    expect(await storedRating(taught)).toEqual({ sum: 21, count: 6 })
  })

  it('add up, whoever has the money back while others write', async () => {
    const taught = await aCourse(lms)
    const { courseId } = taught
    const buyers = await Promise.all(Array.from({ length: 8 }, () => aBuyer(taught, 2)))
    await Promise.all(
      buyers.map((buyer, at) =>
        at % 2 === 0
          ? buyer.refund()
          : buyer.api.reviews.put.mutate({ courseId, rating: 5 }).then(() => true),
      ),
    )
    expect(await storedRating(taught)).toEqual({ sum: 20, count: 4 })
    await Promise.all(buyers.map((buyer) => buyer.restore()))
    expect(await storedRating(taught)).toEqual({ sum: 28, count: 8 })
  })

  it('of a refunded buyer are left out by the repair, too', async () => {
    const taught = await aCourse(lms)
    const buyer = await aBuyer(taught, 3)
    await lms.db.driver
      .collection('enrollments')
      .updateOne(
        { 'grants.key': `order:test-${buyer.user.id}:0` },
        { $set: { 'grants.0.revokedAt': lms.clock.now() } },
      )
    expect(await storedRating(taught)).toEqual({ sum: 3, count: 1 })
    await lms.work()
    expect(await storedRating(taught)).toEqual({ sum: 0, count: 0 })
  })

  it('are counted again when a process ended before it could', async () => {
    const [taught, emptied] = [await aCourse(lms), await aCourse(lms)]
    const { courseId } = taught
    const { api } = await aPayingLearner(lms, taught)
    await api.reviews.put.mutate({ courseId, rating: 3 })
    await lms.db.orm.courses.where({ _id: courseId }).update({ ratingSum: 0, ratingCount: 0 })
    await lms.db.orm.courses
      .where({ _id: emptied.courseId })
      .update({ ratingSum: 5, ratingCount: 1 })
    await lms.work()
    expect(await storedRating(taught)).toEqual({ sum: 3, count: 1 })
    expect(await storedRating(emptied)).toEqual({ sum: 0, count: 0 })
  })
})
