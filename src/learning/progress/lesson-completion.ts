import { ObjectId } from 'mongodb'
import type { Actor } from '../../auth/sessions.ts'
import type { CourseDocument, Lesson } from '../../courses/course.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import { requireEnrolledLesson, type LessonRef } from '../access/require-enrolled.ts'
import { progressOf, type CourseProgress } from './course-progress.ts'

/**
 * Marks a lesson as completed; the first time stays. Throws NOT_FOUND, NOT_ENROLLED, or QUIZ_LESSON: a quiz
 * is completed by passing it.
 */
export async function completeLesson(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: LessonRef,
): Promise<CourseProgress> {
  const { course, lesson } = await requireMarkableLesson(deps, actor, ref)
  const at = deps.now()
  const mark = { userId: actor.id, lessonId: ref.lessonId }
  const { completedAt } = await deps.db.orm.lesson_progress.where(mark).upsert({
    create: {
      ...mark,
      courseId: course._id,
      completedAt: at,
      firstCompletedAt: null,
      openedAt: null,
      lessonAddedAt: lesson.addedAt,
      positionSeconds: 0,
      updatedAt: at,
    },
    update: { updatedAt: at },
  })
  if (!completedAt) await deps.db.orm.lesson_progress.where(mark).update({ completedAt: at })
  return progressOf(deps, actor, course)
}

/** Marks a lesson as not completed. Throws as `completeLesson` does. */
export async function reopenLesson(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: LessonRef,
): Promise<CourseProgress> {
  const { course } = await requireMarkableLesson(deps, actor, ref)
  // That it was completed once stays known: a student must not reopen lessons to have the price back.
  const first = { $ifNull: ['$firstCompletedAt', '$completedAt'] }
  await deps.db.driver
    .collection('lesson_progress')
    .updateOne({ userId: new ObjectId(actor.id), lessonId: ref.lessonId }, [
      { $set: { firstCompletedAt: first, completedAt: null, updatedAt: deps.now() } },
    ])
  return progressOf(deps, actor, course)
}

async function requireMarkableLesson(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: LessonRef,
): Promise<{ course: CourseDocument; lesson: Lesson }> {
  const { course, lesson } = await requireEnrolledLesson(deps, actor, ref)
  if (lesson.kind === 'QUIZ') throw new DomainError('QUIZ_LESSON')
  return { course, lesson }
}
