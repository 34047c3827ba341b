import { ObjectId, type Document } from 'mongodb'
import type { Uses } from '../deps.ts'
import type { Job } from '../jobs.ts'
import { IS_PAID_ACCESS_REVOKED } from './access/revoked-access.ts'

type Totals = { ratingSum: number; ratingCount: number }

/** Without settings, as without one of them, only what was paid for counts. */
type Needs = Uses<'db'> & Partial<Uses<'settings'>>

/**
 * Counts a course's reviews anew and stores their sum and number, until a count after storing agrees. Whoever
 * changed a review, or the access of the student who wrote it, runs this afterwards. Of several at once,
 * whoever stores last counts once more after storing, so the rating that stays is right.
 */
export async function rebuildRating(deps: Needs, courseId: string): Promise<void> {
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
  deps: Needs,
  enrollment: { userId: string; courseId: string },
): Promise<void> {
  const review = await deps.db.orm.reviews.where(enrollment).select('_id').first()
  if (review) await rebuildRating(deps, enrollment.courseId)
}

async function countRatings(deps: Needs, courseId: string): Promise<Totals> {
  const [totals] = await sumRatings(deps, { courseId: new ObjectId(courseId) })
  return { ratingSum: totals?.ratingSum ?? 0, ratingCount: totals?.ratingCount ?? 0 }
}

/** Matches the enrollments whose reviews count. Gifts and a price of nothing make no opinion worth the same. */
function countedEnrollments({ settings }: Needs): Document {
  if (settings?.ratingsCountUnpaid === true) return { $nor: [IS_PAID_ACCESS_REVOKED] }
  return { grants: { $elemMatch: { kind: 'PAID', revokedAt: null } } }
}

function sumRatings(deps: Needs, reviews: Document): Promise<(Totals & { _id: ObjectId })[]> {
  return deps.db.driver
    .collection('reviews')
    .aggregate<Totals & { _id: ObjectId }>(
      [
        { $match: reviews },
        {
          $lookup: {
            from: 'enrollments',
            localField: 'userId',
            foreignField: 'userId',
            let: { courseId: '$courseId' },
            pipeline: [
              { $match: { $expr: { $eq: ['$courseId', '$$courseId'] } } },
              { $match: countedEnrollments(deps) },
              { $project: { _id: 1 } },
            ],
            as: 'counted',
          },
        },
        { $match: { counted: { $ne: [] } } },
        {
          $group: {
            _id: '$courseId',
            ratingSum: { $sum: '$rating' },
            ratingCount: { $sum: 1 },
          },
        },
      ],
      { maxTimeMS: 60_000 },
    )
    .toArray()
}

/**
 * Every hour: rebuilds the ratings that a process left wrong which ended between changing a review, or the
 * access of the student who wrote it, and counting; or that were counted by another rule.
 */
export const repairRatings: Job = {
  name: 'ratings',
  everySeconds: 60 * 60,
  run: async (deps) => {
    for (const courseId of await findMiscounted(deps)) await rebuildRating(deps, courseId)
  },
}

type Stored = Totals & { _id: ObjectId }

async function findMiscounted(deps: Needs): Promise<string[]> {
  const isRated = { $or: [{ ratingCount: { $ne: 0 } }, { ratingSum: { $ne: 0 } }] }
  const fields = { ratingSum: 1, ratingCount: 1 }
  const stored = await deps.db.driver
    .collection<Stored>('courses')
    .find(isRated, { projection: fields, maxTimeMS: 60_000 })
    .toArray()
  const counted = await sumRatings(deps, {})
  const textOf = ({ ratingSum, ratingCount }: Totals) => `${ratingSum}/${ratingCount}`
  const standing = new Map(stored.map((one) => [one._id.toHexString(), textOf(one)]))
  const right = new Map(counted.map((one) => [one._id.toHexString(), textOf(one)]))
  const ids = [...new Set([...standing.keys(), ...right.keys()])]
  return ids.filter((id) => (standing.get(id) ?? '0/0') !== (right.get(id) ?? '0/0'))
}
