import type { CourseDocument, Lesson } from '../../courses/course.ts'
import { lessonsOf } from '../../courses/outline.ts'
import type { Stored } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import { completedAtOf, findCompletion } from './completion.ts'

// Nobody watches the credits.
const WATCHED_PERCENT = 90

type Row = Stored<'lesson_progress'>

/**
 * How much of a course, in per cent of its lessons, this user has had: what is done, what was ever done and opened
 * again since, and what was watched to its end and never marked.
 */
export async function percentConsumed(
  { db }: Uses<'db'>,
  userId: string,
  course: CourseDocument,
): Promise<number> {
  const whose = { userId, courseId: course._id }
  const [rows, done] = await Promise.all([
    db.orm.lesson_progress.where(whose).all(),
    findCompletion({ db }, whose),
  ])
  const rowOf = new Map(rows.map((row) => [row.lessonId, row]))
  const lessons = lessonsOf(course.sections)
  const had = lessons.filter(
    (lesson) => completedAtOf(done, lesson) !== null || isConsumed(lesson, rowOf.get(lesson.id)),
  )
  return lessons.length === 0 ? 0 : Math.floor((had.length * 100) / lessons.length)
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
