// What the server handed out of a course, noted when it is handed out: what a client says it has done is no measure of
// what somebody has had.
import { ObjectId } from 'mongodb'
import type { Actor } from '../../auth/sessions.ts'
import { hasLiveGrant, type Viewer } from '../../courses/access.ts'
import type { CourseDocument, Lesson } from '../../courses/course.ts'
import { isDuplicateKey } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'

export type Opening = { course: CourseDocument; lesson: Lesson; viewer: Viewer }

/**
 * Notes that somebody with access is about to be handed this lesson: one write the first time, none after. A preview
 * is anybody's, and not noted. Throws NOT_ENROLLED where access ended meanwhile: then nothing may be handed out. The
 * note is written before access is looked at again, and a refund ends access before it looks at the notes, so of
 * the two at once one sees the other.
 */
export async function noteOpening(
  deps: Uses<'db' | 'now'>,
  { id: userId }: Pick<Actor, 'id'>,
  { course, lesson, viewer }: Opening,
): Promise<void> {
  if (!viewer.enrolled || lesson.preview) return
  const known = await deps.db.orm.lesson_progress
    .where({ userId, lessonId: lesson.id })
    .select('openedAt')
    .first()
  if (known?.openedAt) return
  await writeOpening(deps, { userId, courseId: course._id, lesson })
  if (viewer.owner) return
  const enrollment = await deps.db.orm.enrollments.where({ userId, courseId: course._id }).first()
  if (!hasLiveGrant(enrollment, deps.now())) throw new DomainError('NOT_ENROLLED')
}

type Noted = { userId: string; courseId: string; lesson: Lesson }

/** By the driver: what was noted first stays, and Prisma's upsert has no condition. */
async function writeOpening(
  { db, now }: Uses<'db' | 'now'>,
  { userId, courseId, lesson }: Noted,
): Promise<void> {
  const at = now()
  const unopened = { userId: new ObjectId(userId), lessonId: lesson.id, openedAt: null }
  const others = { completedAt: null, firstCompletedAt: null, positionSeconds: 0, updatedAt: at }
  try {
    await db.driver.collection('lesson_progress').updateOne(
      unopened,
      {
        $set: { openedAt: at, lessonAddedAt: lesson.addedAt },
        $setOnInsert: { courseId: new ObjectId(courseId), ...others },
      },
      { upsert: true },
    )
  } catch (error) {
    // Opened in two tabs at the same moment.
    if (!isDuplicateKey(error)) throw error
  }
}
