// A lesson is completed when its student says so; a quiz only when an attempt passed, which is read from the
// attempts themselves, so that no crash can come between passing and completing. No percentage is stored.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { ObjectId, type Document } from 'mongodb'
import type { Lesson } from '../../courses/course.ts'
import type { Db } from '../../db.ts'
import type { Uses } from '../../deps.ts'

/** Lesson id → when it was completed. */
type CompletionTimes = ReadonlyMap<string, Date>

/** What one student has completed: `marked` by themselves, and quizzes `passed`. */
export type Completion = { marked: CompletionTimes; passed: CompletionTimes }

/** The same without the times. */
type CompletedLessons = {
  marked: Pick<ReadonlySet<string>, 'has'>
  passed: Pick<ReadonlySet<string>, 'has'>
}

type Enrollments = { userIds: string[]; courseIds: string[] }

const NONE: CompletedLessons = { marked: new Set(), passed: new Set() }

/** What these students have completed in these courses: two statements, a row for each student and course. */
export async function findCompletedLessons(
  { db }: Uses<'db'>,
  { userIds, courseIds }: Enrollments,
): Promise<(userId: string, courseId: string) => CompletedLessons> {
  if (userIds.length === 0 || courseIds.length === 0) return () => NONE
  const ofEnrollments = {
    userId: { $in: userIds.map((id) => new ObjectId(id)) },
    courseId: { $in: courseIds.map((id) => new ObjectId(id)) },
  }
  const [marked, passed] = await Promise.all([
    findLessons(db, 'lesson_progress', { ...ofEnrollments, completedAt: { $ne: null } }),
    findLessons(db, 'quiz_attempts', { ...ofEnrollments, passed: true }),
  ])
  return (userId, courseId) => {
    const key = `${userId} ${courseId}`
    return {
      marked: marked.get(key) ?? NONE.marked,
      passed: passed.get(key) ?? NONE.passed,
    }
  }
}

type LessonsRow = { _id: { userId: ObjectId; courseId: ObjectId }; lessonIds: string[] }

async function findLessons(
  db: Db,
  name: string,
  match: Document,
): Promise<Map<string, ReadonlySet<string>>> {
  const rows = await db.driver
    .collection(name)
    .aggregate<LessonsRow>([
      { $match: match },
      {
        $group: {
          _id: { userId: '$userId', courseId: '$courseId' },
          lessonIds: { $addToSet: '$lessonId' },
        },
      },
    ])
    .toArray()
  return new Map(
    rows.map(({ _id, lessonIds }) => [
      `${_id.userId.toHexString()} ${_id.courseId.toHexString()}`,
      new Set(lessonIds),
    ]),
  )
}

/** What one student has completed in one course, and when. */
export async function findCompletion(
  { db }: Uses<'db'>,
  enrollment: { userId: string; courseId: string },
): Promise<Completion> {
  const [marks, passes] = await Promise.all([
    db.orm.lesson_progress
      .where(enrollment)
      .where(MongoFieldFilter.isNotNull('completedAt'))
      .select('lessonId', 'completedAt')
      .all(),
    db.orm.quiz_attempts
      .where(enrollment)
      .where({ passed: true })
      .select('lessonId', 'submittedAt')
      .orderBy({ number: -1 })
      .all(),
  ])
  const times = (rows: { lessonId: string; at: Date | null }[]) =>
    new Map(rows.flatMap(({ lessonId, at }) => (at ? [[lessonId, at] as const] : [])))
  return {
    marked: times(marks.map(({ lessonId, completedAt }) => ({ lessonId, at: completedAt }))),
    // The last of the list stays: the first attempt that passed.
    passed: times(passes.map(({ lessonId, submittedAt }) => ({ lessonId, at: submittedAt }))),
  }
}

/** When this student completed the lesson, or null. */
export function completedAtOf({ marked, passed }: Completion, lesson: Lesson): Date | null {
  return (lesson.kind === 'QUIZ' ? passed : marked).get(lesson.id) ?? null
}

function isCompleted({ marked, passed }: CompletedLessons, { kind, id }: ListedLesson): boolean {
  return (kind === 'QUIZ' ? passed : marked).has(id)
}

type ListedLesson = Pick<Lesson, 'id' | 'kind'>

/** What of an outline decides how much of it is done. */
export type Listing = { sections: readonly { lessons: readonly ListedLesson[] }[] }

type CompletionSummary = { percent: number; completed: number; total: number }

/**
 * 100 × completed / total lessons, rounded down: 100 means all. Only what is listed now counts, on both
 * sides: a removed lesson can push nobody over the whole.
 */
export function summarizeCompletion(course: Listing, done: CompletedLessons): CompletionSummary {
  const listed = course.sections.flatMap(({ lessons }) => lessons)
  const completed = listed.filter((lesson) => isCompleted(done, lesson)).length
  const total = listed.length
  return { percent: total === 0 ? 0 : Math.floor((completed * 100) / total), completed, total }
}
