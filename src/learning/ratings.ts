import { ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'
import type { Job } from '../jobs.ts'
import { findUsersWithRevokedAccess, IS_PAID_ACCESS_REVOKED } from './access/revoked-access.ts'

type Totals = { ratingSum: number; ratingCount: number }

/**
 * Counts a course's reviews anew and stores their sum and number, until a count after storing agrees. Whoever
 * changed a review, or the access of the student who wrote it, runs this afterwards. Of several at once,
 * whoever stores last counts once more after storing, so the rating that stays is right.
 */
export async function rebuildRating(deps: Uses<'db'>, courseId: string): Promise<void> {
  let totals = await countRatings(deps, courseId)
  for (;;) {
    await deps.db.orm.courses.where({ _id: courseId }).updateAndCount(totals)
    const counted = await countRatings(deps, courseId)
    if (counted.ratingSum === totals.ratingSum && counted.ratingCount === totals.ratingCount) return
    totals = counted
  }
}

/** For when the access of a student changed: their review, if there is one, may begin or cease to count. */
export async function rebuildRatingIfReviewed(
  deps: Uses<'db'>,
  enrollment: { userId: string; courseId: string },
): Promise<void> {
  const review = await deps.db.orm.reviews.where(enrollment).select('_id').first()
  if (review) await rebuildRating(deps, enrollment.courseId)
}

async function countRatings({ db }: Uses<'db'>, courseId: string): Promise<Totals> {
  const counting = {
    courseId: new ObjectId(courseId),
    userId: { $nin: await findUsersWithRevokedAccess({ db }, courseId) },
  }
  const [totals] = await db.driver
    .collection('reviews')
    .aggregate<Totals>([
      { $match: counting },
      { $group: { _id: null, ratingSum: { $sum: '$rating' }, ratingCount: { $sum: 1 } } },
    ])
    .toArray()
  return { ratingSum: totals?.ratingSum ?? 0, ratingCount: totals?.ratingCount ?? 0 }
}

/**
 * Every hour: rebuilds the ratings that a process left wrong which ended between changing a review, or the
 * access of the student who wrote it, and counting.
 */
export const repairRatings: Job = {
  name: 'ratings',
  everySeconds: 60 * 60,
  run: async (deps) => {
    for (const courseId of await findMiscounted(deps)) await rebuildRating(deps, courseId)
  },
}

async function findMiscounted({ db }: Uses<'db'>): Promise<string[]> {
  const rows = await db.driver
    .collection('courses')
    .aggregate<{ _id: ObjectId }>(
      [
        { $project: { stored: ['$ratingSum', '$ratingCount'] } },
        {
          $lookup: {
            from: 'enrollments',
            localField: '_id',
            foreignField: 'courseId',
            pipeline: [{ $match: IS_PAID_ACCESS_REVOKED }, { $project: { userId: 1 } }],
            as: 'revoked',
          },
        },
        {
          $lookup: {
            from: 'reviews',
            localField: '_id',
            foreignField: 'courseId',
            let: { revoked: '$revoked.userId' },
            pipeline: [
              { $match: { $expr: { $not: [{ $in: ['$userId', '$$revoked'] }] } } },
              { $group: { _id: null, sum: { $sum: '$rating' }, count: { $sum: 1 } } },
            ],
            as: 'counted',
          },
        },
        { $set: { counted: [{ $sum: '$counted.sum' }, { $sum: '$counted.count' }] } },
        { $match: { $expr: { $ne: ['$stored', '$counted'] } } },
        { $project: { _id: 1 } },
      ],
      { maxTimeMS: 60_000 },
    )
    .toArray()
  return rows.map(({ _id }) => _id.toHexString())
}
