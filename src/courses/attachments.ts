import { ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'
import { refuseInput } from '../errors.ts'
import type { CourseDocument, LessonKind } from './course.ts'

const PURPOSE_OF: Partial<Record<LessonKind, string>> = {
  VIDEO: 'lesson-video',
  FILE: 'lesson-file',
}

/**
 * What a lesson takes from its media: the id and, once it has come in, its length in seconds. Throws
 * INVALID_INPUT for media that is not this course's, was removed, or does not fit the lesson's kind.
 */
export async function requireAttachableMedia(
  { db }: Uses<'db'>,
  course: CourseDocument,
  { kind, mediaId }: { kind: LessonKind; mediaId: string | null | undefined },
): Promise<{ mediaId: string | null; durationSeconds: number | null }> {
  if (!mediaId) return { mediaId: null, durationSeconds: null }
  const media = await db.orm.media.where({ _id: mediaId }).first()
  const isThere = media?.state === 'PENDING' || media?.state === 'READY'
  const isOurs = isThere && media.courseId === course._id
  if (!isOurs) refuseInput('mediaId', 'is not a file of this course')
  if (media.purpose !== PURPOSE_OF[kind])
    refuseInput('mediaId', `does not fit a lesson of kind ${kind}`)
  return { mediaId, durationSeconds: media.durationSeconds ?? null }
}

/** Media that no lesson references is kept for thirty days, which begin when the last lesson lets it go. */
export async function restartRetention(
  { db, now }: Uses<'db' | 'now'>,
  mediaIds: (string | null)[],
): Promise<void> {
  const ids = mediaIds.flatMap((id) => (id === null ? [] : [new ObjectId(id)]))
  if (ids.length === 0) return
  await db.driver
    .collection('media')
    .updateMany({ _id: { $in: ids }, state: 'READY' }, { $set: { updatedAt: now() } })
}
