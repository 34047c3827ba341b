// Videos and files that no lesson references any more. The sweep first only marks them UNUSED, so that
// authors can attach them to no lesson from then on, and a later one removes them: a lesson to which an
// author was attaching one just then has it back.
import { ObjectId, type Document } from 'mongodb'
import { findCourse } from '../courses/course.ts'
import { lessonsOf } from '../courses/outline.ts'
import type { Uses } from '../deps.ts'
import type { MediaDocument } from './media.ts'

const COURSES_PER_SWEEP = 100

/**
 * READY → UNUSED for files that no lesson of their course references and nothing happened to since `before`.
 */
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
    .aggregate<{ orphans: string[] }>(orphansAmong(due), { maxTimeMS: 20_000 })
    .toArray()
  const ids = found.flatMap(({ orphans }) => orphans.map((id) => new ObjectId(id)))
  if (ids.length === 0) return
  await media.updateMany(
    { ...due, _id: { $in: ids } },
    { $set: { state: 'UNUSED', updatedAt: now() } },
  )
}

// A course is read once, however many files it has.
/** One row for each course, with the ids of its files that no lesson references. */
const orphansAmong = (due: Document): Document[] => [
  { $match: due },
  { $group: { _id: '$courseId', fileIds: { $push: { $toString: '$_id' } } } },
  { $set: { courseId: { $toObjectId: '$_id' } } },
  {
    $lookup: {
      from: 'courses',
      localField: 'courseId',
      foreignField: '_id',
      pipeline: [
        { $unwind: '$sections' },
        { $project: { referenced: '$sections.lessons.mediaId' } },
      ],
      as: 'sections',
    },
  },
  {
    $project: {
      orphans: {
        $setDifference: [
          '$fileIds',
          {
            $reduce: {
              input: '$sections.referenced',
              initialValue: [],
              in: { $concatArrays: ['$$value', '$$this'] },
            },
          },
        ],
      },
    },
  },
  { $match: { 'orphans.0': { $exists: true } } },
  { $limit: COURSES_PER_SWEEP },
]

/** Whether a lesson of the file's course references it now. */
export async function isReferenced(
  { db }: Uses<'db'>,
  { _id, courseId }: MediaDocument,
): Promise<boolean> {
  const course = courseId === null ? null : await findCourse(db, { _id: courseId })
  return lessonsOf(course?.sections ?? []).some(({ mediaId }) => mediaId === _id)
}
