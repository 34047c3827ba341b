import type { CourseDocument, Lesson } from '../../courses/course.ts'
import { lessonsOf } from '../../courses/outline.ts'
import type { Stored } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import { completedAtOf, findCompletion } from './completion.ts'

// Nobody watches the credits.
const WATCHED_PERCENT = 90

type Row = Stored<'lesson_progress'>

/**
 * How much of a course this student has consumed, which a refund asks: 100 × consumed lessons / lessons,
 * rounded down. A lesson is consumed when it is completed, was completed once and reopened since, or was
 * played to 90 % of its length without being marked.
 */
export async function percentConsumed(
  { db }: Uses<'db'>,
  userId: string,
  course: CourseDocument,
): Promise<number> {
  const enrollment = { userId, courseId: course._id }
  const [rows, completion] = await Promise.all([
    db.orm.lesson_progress.where(enrollment).all(),
    findCompletion({ db }, enrollment),
  ])
  const rowOf = new Map(rows.map((row) => [row.lessonId, row]))
  const lessons = lessonsOf(course.sections)
  const consumed = lessons.filter(
    (lesson) =>
      completedAtOf(completion, lesson) !== null || isConsumed(lesson, rowOf.get(lesson.id)),
  )
  return lessons.length === 0 ? 0 : Math.floor((consumed.length * 100) / lessons.length)
}

function isConsumed({ durationSeconds }: Lesson, row: Row | undefined): boolean {
  if (!row) return false
  if (row.firstCompletedAt) return true
  return (
    durationSeconds !== null &&
    durationSeconds > 0 &&
    row.positionSeconds * 100 >= durationSeconds * WATCHED_PERCENT
  )
}
