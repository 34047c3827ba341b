import { acc } from '@prisma/orm-mongo/query-builder'
import type { ObjectId } from 'mongodb'
import { oid } from '../db.ts'
import type { Uses } from '../deps.ts'
import type { Job } from '../jobs.ts'

type Totals = { ratingSum: number; ratingCount: number }

/**
 * Counts a course's reviews anew and stores the result, again and again until what is stored is what is
 * there. Everyone who changed a review runs this afterwards, so whoever stores last has looked once more
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

async function countRatings({ db }: Uses<'db'>, courseId: string): Promise<Totals> {
  const plan = db.query
    .from('reviews')
    .match((review) => review.courseId.eq(oid(courseId)))
    .group((review) => ({ _id: null, ratingSum: acc.sum(review.rating), ratingCount: acc.count() }))
    .build()
  const [totals] = await db.runtime.query(plan)
  return { ratingSum: totals?.ratingSum ?? 0, ratingCount: totals?.ratingCount ?? 0 }
}

/** Sets right what a process left behind that ended between storing a review and counting it. */
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
            from: 'reviews',
            localField: '_id',
            foreignField: 'courseId',
            pipeline: [{ $group: { _id: null, sum: { $sum: '$rating' }, count: { $sum: 1 } } }],
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
