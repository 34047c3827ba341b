import { findCourse, type Lesson } from '../../courses/course.ts'
import { lessonsOf } from '../../courses/outline.ts'
import type { Stored } from '../../db.ts'
import type { Uses } from '../../deps.ts'

// Nobody watches the credits.
const WATCHED_PERCENT = 90

type Row = Stored<'lesson_progress'>

/** A course as somebody bought it: how many lessons it had, and when that was. */
export type Bought = { courseId: string; lessonCount: number; at: Date }

/**
 * How much of what was sold this student has had, which a refund asks: 100 × lessons had / lessons sold, rounded down.
 * A lesson was had when the server handed it out to them or they began its quiz; or, before that was noted, when
 * they completed it or played it to 90 % of its length. Previews do not count, nor do lessons that were added after
 * the sale; those removed since do.
 */
export async function percentConsumed(
  { db }: Uses<'db'>,
  userId: string,
  { courseId, lessonCount, at }: Bought,
): Promise<number> {
  if (lessonCount === 0) return 0
  const [course, rows, attempts] = await Promise.all([
    findCourse(db, { _id: courseId }),
    db.orm.lesson_progress.where({ userId, courseId }).all(),
    db.orm.quiz_attempts.where({ userId, courseId }).select('lessonId').all(),
  ])
  const listed = new Map(lessonsOf(course?.sections ?? []).map((lesson) => [lesson.id, lesson]))
  const rowOf = new Map(rows.map((row) => [row.lessonId, row]))
  const begun = new Set(attempts.map(({ lessonId }) => lessonId))
  const had = [...new Set([...rowOf.keys(), ...begun])].filter((id) => {
    const [lesson, row] = [listed.get(id), rowOf.get(id)]
    const addedAt = row?.lessonAddedAt ?? lesson?.addedAt
    if (addedAt && addedAt > at) return false
    if (row?.openedAt) return true
    return lesson?.preview !== true && (begun.has(id) || isDone(lesson, row))
  })
  return Math.floor((had.length * 100) / lessonCount)
}

function isDone(lesson: Lesson | undefined, row: Row | undefined): boolean {
  if (!row) return false
  if (row.completedAt || row.firstCompletedAt) return true
  const seconds = lesson?.durationSeconds ?? 0
  return seconds > 0 && row.positionSeconds * 100 >= seconds * WATCHED_PERCENT
}
