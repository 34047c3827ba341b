import { z } from 'zod'
import type { Actor } from '../../auth/sessions.ts'
import type { Lesson } from '../../courses/course.ts'
import type { Uses } from '../../deps.ts'
import { refuseInput } from '../../errors.ts'
import { orNamed } from '../../fields.ts'
import { LessonRef, requireEnrolledLesson } from '../access/require-enrolled.ts'
import type { LessonProgress } from './course-progress.ts'

const DAY_SECONDS = 24 * 60 * 60

// Players tell the time in fractions of a second.
const Seconds = z.number().min(0).max(DAY_SECONDS).transform(Math.floor)
const PositionTerms = LessonRef.extend({ seconds: Seconds })
export const Position = orNamed(PositionTerms, 'seconds', 'position', 'positionSeconds')
export type Position = z.infer<typeof Position>

/**
 * Remembers how far a video was played, in whole seconds, to go on from there. Throws NOT_FOUND,
 * NOT_ENROLLED, or INVALID_INPUT (beyond the end).
 */
export async function setPosition(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  { courseId, lessonId, seconds }: Position,
): Promise<LessonProgress> {
  const { course, lesson } = await requireEnrolledLesson(deps, actor, { courseId, lessonId })
  const duration = await durationOf(deps, lesson)
  if (duration !== null && seconds > duration)
    refuseInput('seconds', `is beyond the end, ${duration}`)
  const at = deps.now()
  const mark = { userId: actor.id, lessonId }
  const position = { positionSeconds: seconds, updatedAt: at }
  const { completedAt } = await deps.db.orm.lesson_progress.where(mark).upsert({
    create: {
      ...mark,
      ...position,
      courseId: course._id,
      completedAt: null,
      firstCompletedAt: null,
      openedAt: null,
      lessonAddedAt: lesson.addedAt,
    },
    update: position,
  })
  return { lessonId, completedAt: completedAt ?? null, positionSeconds: seconds }
}

// A video that an author attached while it was still coming in had no length yet.
async function durationOf({ db }: Uses<'db'>, lesson: Lesson): Promise<number | null> {
  if (lesson.durationSeconds !== null || lesson.mediaId === null) return lesson.durationSeconds
  const media = await db.orm.media.where({ _id: lesson.mediaId }).first()
  return media?.durationSeconds ?? null
}
