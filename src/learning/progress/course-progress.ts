import type { Actor } from '../../auth/sessions.ts'
import type { CourseDocument } from '../../courses/course.ts'
import { lessonsOf } from '../../courses/outline.ts'
import type { Uses } from '../../deps.ts'
import { requireEnrolledCourse, type CourseRef } from '../access/require-enrolled.ts'
import {
  completedAtOf,
  findCompletion,
  summarizeCompletion,
  type Completion,
} from './completion.ts'

export type LessonProgress = {
  lessonId: string
  completedAt: Date | null
  positionSeconds: number
}

export type CourseProgress = {
  courseId: string
  /** Completed of listed lessons, rounded down: 100 means all. */
  percent: number
  completed: number
  total: number
  /** Every listed lesson, in the order of the course. */
  lessons: LessonProgress[]
  /** Where to go on; null when everything is completed. */
  resumeLessonId: string | null
}

/** Where a student stands in a course, lesson by lesson. Throws NOT_FOUND or NOT_ENROLLED. */
export async function requireProgress(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: CourseRef,
): Promise<CourseProgress> {
  return progressOf(deps, actor, await requireEnrolledCourse(deps, actor, ref))
}

/** Where a student stands in a course in which they are enrolled. */
export async function progressOf(
  { db }: Uses<'db'>,
  actor: Actor,
  course: CourseDocument,
): Promise<CourseProgress> {
  const enrollment = { userId: actor.id, courseId: course._id }
  const [rows, completion] = await Promise.all([
    db.orm.lesson_progress
      .where(enrollment)
      .select('lessonId', 'positionSeconds', 'updatedAt')
      .all(),
    findCompletion({ db }, enrollment),
  ])
  const positions = new Map(rows.map((row) => [row.lessonId, row.positionSeconds]))
  const latest = [...rows].sort((a, b) => b.updatedAt.getTime() - a.updatedAt.getTime())
  return {
    courseId: course._id,
    ...summarizeCompletion(course, completion),
    lessons: lessonsOf(course.sections).map((lesson) => ({
      lessonId: lesson.id,
      completedAt: completedAtOf(completion, lesson),
      positionSeconds: positions.get(lesson.id) ?? 0,
    })),
    resumeLessonId: resumeLessonIdOf(course, {
      completion,
      recent: latest.map(({ lessonId }) => lessonId),
    }),
  }
}

type Trace = { completion: Completion; recent: string[] }

/**
 * The lesson last worked on, unless it is completed; else the next one that is not, from there to the end and
 * then from the beginning. Of lessons 1 2 3 4 with 3 last worked on, and 3 and 4 completed, it is 1.
 */
function resumeLessonIdOf(course: CourseDocument, { completion, recent }: Trace): string | null {
  const lessons = lessonsOf(course.sections)
  const last = recent.find((id) => lessons.some((lesson) => lesson.id === id))
  const at = Math.max(
    0,
    lessons.findIndex((lesson) => lesson.id === last),
  )
  const inTurn = [...lessons.slice(at), ...lessons.slice(0, at)]
  return inTurn.find((lesson) => completedAtOf(completion, lesson) === null)?.id ?? null
}
