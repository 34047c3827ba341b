// Videos and files that no lesson names any more. They are first only marked, so that no lesson can be given
// them from then on, and destroyed by a later sweep: a lesson that was being given one just then has it back.
import { ObjectId, type Document } from 'mongodb'
import { findCourse } from '../courses/course.ts'
import { lessonsOf } from '../courses/outline.ts'
import type { Uses } from '../deps.ts'
import type { MediaDocument } from './media.ts'

const COURSES_PER_SWEEP = 100

/** Marks what no lesson of its course names and nothing happened to since then. */
export async function markOrphanedFiles(
  { db, now }: Uses<'db' | 'now'>,
  before: Date,
): Promise<void> {
  const media = db.driver.collection('media')
  const due = {
    state: 'READY',
    purpose: { $in: ['lesson-video', 'lesson-file'] },
    updatedAt: { $lte: before },
  }
  const found = await media
    .aggregate<{ unused: string[] }>(orphansAmong(due), { maxTimeMS: 20_000 })
    .toArray()
  const ids = found.flatMap(({ unused }) => unused.map((id) => new ObjectId(id)))
  if (ids.length === 0) return
  await media.updateMany(
    { ...due, _id: { $in: ids } },
    { $set: { state: 'UNUSED', updatedAt: now() } },
    { maxTimeMS: 5_000 },
  )
}

// One course is read once, however many files it has.
const orphansAmong = (due: Document): Document[] => [
  { $match: due },
  { $group: { _id: '$courseId', kept: { $push: { $toString: '$_id' } } } },
  { $set: { courseId: { $toObjectId: '$_id' } } },
  {
    $lookup: {
      from: 'courses',
      localField: 'courseId',
      foreignField: '_id',
      pipeline: [{ $unwind: '$sections' }, { $project: { named: '$sections.lessons.mediaId' } }],
      as: 'sections',
    },
  },
  {
    $project: {
      unused: {
        $setDifference: [
          '$kept',
          {
            $reduce: {
              input: '$sections.named',
              initialValue: [],
              in: { $concatArrays: ['$$value', '$$this'] },
            },
          },
        ],
      },
    },
  },
  { $match: { 'unused.0': { $exists: true } } },
  { $limit: COURSES_PER_SWEEP },
]

export async function isReferenced(
  { db }: Uses<'db'>,
  { _id, courseId }: MediaDocument,
): Promise<boolean> {
  const course = courseId === null ? null : await findCourse(db, { _id: courseId })
  return lessonsOf(course?.sections ?? []).some(({ mediaId }) => mediaId === _id)
}
