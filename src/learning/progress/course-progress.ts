import { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Actor } from '../../auth/sessions.ts'
import type { CourseDocument, Lesson } from '../../courses/course.ts'
import { lessonsOf } from '../../courses/outline.ts'
import type { Uses } from '../../deps.ts'
import { DomainError, refuseInput } from '../../errors.ts'
import { orNamed } from '../../fields.ts'
import {
  completedAtOf,
  findCompletion,
  summarizeCompletion,
  type Completion,
} from './completion.ts'
import {
  LessonRef,
  requireEnrolled,
  requireEnrolledLesson,
  type CourseRef,
} from '../access/require-enrolled.ts'

const DAY_SECONDS = 24 * 60 * 60

// Players tell the time in fractions of a second.
const Seconds = z.number().min(0).max(DAY_SECONDS).transform(Math.floor)
const Moved = LessonRef.extend({ seconds: Seconds })
export const Position = orNamed(Moved, 'seconds', 'position', 'positionSeconds')
export type Position = z.infer<typeof Position>

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
  /** Where to go on; null when everything is done. */
  resumeLessonId: string | null
}

export async function requireProgress(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: CourseRef,
): Promise<CourseProgress> {
  return progressOf(deps, actor, await requireEnrolled(deps, actor, ref))
}

/** Marks a lesson as done; the first time stays. */
export async function completeLesson(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: LessonRef,
): Promise<CourseProgress> {
  const course = await requireMarkableLesson(deps, actor, ref)
  const at = deps.now()
  const mark = { userId: actor.id, lessonId: ref.lessonId }
  const { completedAt } = await deps.db.orm.lesson_progress.where(mark).upsert({
    create: {
      ...mark,
      courseId: course._id,
      completedAt: at,
      firstCompletedAt: null,
      positionSeconds: 0,
      updatedAt: at,
    },
    update: { updatedAt: at },
  })
  if (!completedAt) await deps.db.orm.lesson_progress.where(mark).update({ completedAt: at })
  return progressOf(deps, actor, course)
}

export async function reopenLesson(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: LessonRef,
): Promise<CourseProgress> {
  const course = await requireMarkableLesson(deps, actor, ref)
  // That it was done once stays known: opening it again must not open the way to a refund.
  const first = { $ifNull: ['$firstCompletedAt', '$completedAt'] }
  await deps.db.driver
    .collection('lesson_progress')
    .updateOne(
      { userId: new ObjectId(actor.id), lessonId: ref.lessonId },
      [{ $set: { firstCompletedAt: first, completedAt: null, updatedAt: deps.now() } }],
      { maxTimeMS: 5_000 },
    )
  return progressOf(deps, actor, course)
}

/** Remembers how far a recording was watched, to go on from there. */
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
  const moved = { positionSeconds: seconds, updatedAt: at }
  const { completedAt } = await deps.db.orm.lesson_progress.where(mark).upsert({
    create: { ...mark, ...moved, courseId: course._id, completedAt: null, firstCompletedAt: null },
    update: moved,
  })
  return { lessonId, completedAt: completedAt ?? null, positionSeconds: seconds }
}

async function requireMarkableLesson(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: LessonRef,
): Promise<CourseDocument> {
  const { course, lesson } = await requireEnrolledLesson(deps, actor, ref)
  if (lesson.kind === 'QUIZ') throw new DomainError('QUIZ_LESSON')
  return course
}

// A file that was attached while it was still being uploaded had no length yet.
async function durationOf({ db }: Uses<'db'>, lesson: Lesson): Promise<number | null> {
  if (lesson.durationSeconds !== null || lesson.mediaId === null) return lesson.durationSeconds
  const media = await db.orm.media.where({ _id: lesson.mediaId }).first()
  return media?.durationSeconds ?? null
}

async function progressOf(
  { db }: Uses<'db'>,
  actor: Actor,
  course: CourseDocument,
): Promise<CourseProgress> {
  const whose = { userId: actor.id, courseId: course._id }
  const [rows, done] = await Promise.all([
    db.orm.lesson_progress.where(whose).select('lessonId', 'positionSeconds', 'updatedAt').all(),
    findCompletion({ db }, whose),
  ])
  const positions = new Map(rows.map((row) => [row.lessonId, row.positionSeconds]))
  const latest = [...rows].sort((a, b) => b.updatedAt.getTime() - a.updatedAt.getTime())
  return {
    courseId: course._id,
    ...summarizeCompletion(course, done),
    lessons: lessonsOf(course.sections).map((lesson) => ({
      lessonId: lesson.id,
      completedAt: completedAtOf(done, lesson),
      positionSeconds: positions.get(lesson.id) ?? 0,
    })),
    resumeLessonId: resumeLessonIdOf(course, {
      done,
      touched: latest.map(({ lessonId }) => lessonId),
    }),
  }
}

type Trail = { done: Completion; touched: string[] }

/** The lesson last touched, or else the first one after it that is not done, or before it. */
function resumeLessonIdOf(course: CourseDocument, { done, touched }: Trail): string | null {
  const lessons = lessonsOf(course.sections)
  const last = touched.find((id) => lessons.some((lesson) => lesson.id === id))
  const at = Math.max(
    0,
    lessons.findIndex((lesson) => lesson.id === last),
  )
  const inTurn = [...lessons.slice(at), ...lessons.slice(0, at)]
  return inTurn.find((lesson) => completedAtOf(done, lesson) === null)?.id ?? null
}
