import { ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'
import type { Job } from '../jobs.ts'
import { findUsersWithRevokedAccess, IS_PAID_ACCESS_REVOKED } from './access/revoked-access.ts'

type Totals = { ratingSum: number; ratingCount: number }

/**
 * Counts a course's reviews anew and stores the result, again and again until what is stored is what is
 * there. Everyone who changed a review, or the access of
 * who wrote it, runs this afterwards, so whoever stores last has looked once more
 * after storing: of any number at once, the last word is right.
 */
export async function rebuildRating(deps: Uses<'db'>, courseId: string): Promise<void> {
  let totals = await countRatings(deps, courseId)
  for (;;) {
    await deps.db.orm.courses.where({ _id: courseId }).updateAndCount(totals)
    const seen = await countRatings(deps, courseId)
    if (seen.ratingSum === totals.ratingSum && seen.ratingCount === totals.ratingCount) return
    totals = seen
  }
}

/** For when the access of someone changed, who may have said something. */
export async function rebuildRatingIfReviewed(
  deps: Uses<'db'>,
  whose: { userId: string; courseId: string },
): Promise<void> {
  const review = await deps.db.orm.reviews.where(whose).select('_id').first()
  if (review) await rebuildRating(deps, whose.courseId)
}

async function countRatings({ db }: Uses<'db'>, courseId: string): Promise<Totals> {
  const counted = {
    courseId: new ObjectId(courseId),
    userId: { $nin: await findUsersWithRevokedAccess({ db }, courseId) },
  }
  const [totals] = await db.driver
    .collection('reviews')
    .aggregate<Totals>(
      [
        { $match: counted },
        { $group: { _id: null, ratingSum: { $sum: '$rating' }, ratingCount: { $sum: 1 } } },
      ],
      { maxTimeMS: 5_000 },
    )
    .toArray()
  return { ratingSum: totals?.ratingSum ?? 0, ratingCount: totals?.ratingCount ?? 0 }
}

/** Sets right what a process left behind that ended between changing a review, or the access of who wrote it, and counting. */
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
            as: 'takenBack',
          },
        },
        {
          $lookup: {
            from: 'reviews',
            localField: '_id',
            foreignField: 'courseId',
            let: { takenBack: '$takenBack.userId' },
            pipeline: [
              { $match: { $expr: { $not: [{ $in: ['$userId', '$$takenBack'] }] } } },
              { $group: { _id: null, sum: { $sum: '$rating' }, count: { $sum: 1 } } },
            ],
            as: 'there',
          },
        },
        { $set: { there: [{ $sum: '$there.sum' }, { $sum: '$there.count' }] } },
        { $match: { $expr: { $ne: ['$stored', '$there'] } } },
        { $project: { _id: 1 } },
      ],
      { maxTimeMS: 60_000 },
    )
    .toArray()
  return rows.map(({ _id }) => _id.toHexString())
}
