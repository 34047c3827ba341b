// A lesson is done when its student says so; a quiz only when an attempt passed, which is read from the
// attempts themselves, so that no crash can lie between passing and being done. Percentages are never stored.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { ObjectId, type Document } from 'mongodb'
import type { CourseDocument, Lesson } from '../../courses/course.ts'
import { lessonsOf } from '../../courses/outline.ts'
import type { Db } from '../../db.ts'
import type { Uses } from '../../deps.ts'

/** Lesson id → when it was done. */
type CompletionTimes = ReadonlyMap<string, Date>

export type Completion = { marked: CompletionTimes; passed: CompletionTimes }

/** The lessons that were done, without the times. */
type CompletedLessons = {
  marked: Pick<ReadonlySet<string>, 'has'>
  passed: Pick<ReadonlySet<string>, 'has'>
}

type Whose = { userIds: string[]; courseIds: string[] }

const NOTHING: CompletedLessons = { marked: new Set(), passed: new Set() }

/** What these users have done in these courses, in two statements and one row for each of both. */
export async function findCompletedLessons(
  { db }: Uses<'db'>,
  { userIds, courseIds }: Whose,
): Promise<(userId: string, courseId: string) => CompletedLessons> {
  if (userIds.length === 0 || courseIds.length === 0) return () => NOTHING
  const theirs = {
    userId: { $in: userIds.map((id) => new ObjectId(id)) },
    courseId: { $in: courseIds.map((id) => new ObjectId(id)) },
  }
  const [marked, passed] = await Promise.all([
    findLessons(db, 'lesson_progress', { ...theirs, completedAt: { $ne: null } }),
    findLessons(db, 'quiz_attempts', { ...theirs, passed: true }),
  ])
  return (userId, courseId) => {
    const key = `${userId} ${courseId}`
    return {
      marked: marked.get(key) ?? NOTHING.marked,
      passed: passed.get(key) ?? NOTHING.passed,
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
    .aggregate<LessonsRow>(
      [
        { $match: match },
        {
          $group: {
            _id: { userId: '$userId', courseId: '$courseId' },
            lessonIds: { $addToSet: '$lessonId' },
          },
        },
      ],
      { maxTimeMS: 5_000 },
    )
    .toArray()
  return new Map(
    rows.map(({ _id, lessonIds }) => [
      `${_id.userId.toHexString()} ${_id.courseId.toHexString()}`,
      new Set(lessonIds),
    ]),
  )
}

/** What one user has done in one course, and when. */
export async function findCompletion(
  { db }: Uses<'db'>,
  whose: { userId: string; courseId: string },
): Promise<Completion> {
  const [marks, passes] = await Promise.all([
    db.orm.lesson_progress
      .where(whose)
      .where(MongoFieldFilter.isNotNull('completedAt'))
      .select('lessonId', 'completedAt')
      .all(),
    db.orm.quiz_attempts
      .where(whose)
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

export function completedAtOf({ marked, passed }: Completion, lesson: Lesson): Date | null {
  return (lesson.kind === 'QUIZ' ? passed : marked).get(lesson.id) ?? null
}

function isCompleted({ marked, passed }: CompletedLessons, { kind, id }: Lesson): boolean {
  return (kind === 'QUIZ' ? passed : marked).has(id)
}

type CompletionSummary = { percent: number; completed: number; total: number }

/** Only what is listed counts, on both sides: a removed lesson can push nobody over the whole. */
export function summarizeCompletion(
  course: Pick<CourseDocument, 'sections'>,
  done: CompletedLessons,
): CompletionSummary {
  const listed = lessonsOf(course.sections)
  const completed = listed.filter((lesson) => isCompleted(done, lesson)).length
  const total = listed.length
  return { percent: total === 0 ? 0 : Math.floor((completed * 100) / total), completed, total }
}
