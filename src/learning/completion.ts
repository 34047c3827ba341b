// A lesson is done when its student says so; a quiz only when an attempt passed, which is read from the
// attempts themselves, so that no crash can lie between passing and being done. Percentages are never stored.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import type { CourseDocument, Lesson } from '../courses/course.ts'
import { lessonsOf } from '../courses/outline.ts'
import { oid } from '../db.ts'
import type { Uses } from '../deps.ts'

/** Lesson id → when it was done. */
type Times = ReadonlyMap<string, Date>

export type Completion = { marked: Times; passed: Times }

type Whose = { userIds: string[]; courseIds: string[] }

const NOTHING: Completion = { marked: new Map(), passed: new Map() }

/** What these users have done in these courses, in two statements however many there are. */
export async function findCompletions(
  { db }: Uses<'db'>,
  { userIds, courseIds }: Whose,
): Promise<(userId: string, courseId: string) => Completion> {
  if (userIds.length === 0 || courseIds.length === 0) return () => NOTHING
  const isTheirs = MongoFieldFilter.in('userId', userIds.map(oid))
  const isInThese = MongoFieldFilter.in('courseId', courseIds.map(oid))
  const [marks, passes] = await Promise.all([
    db.orm.lesson_progress
      .where(isTheirs)
      .where(isInThese)
      .where(MongoFieldFilter.isNotNull('completedAt'))
      .all(),
    db.orm.quiz_attempts
      .where(isTheirs)
      .where(isInThese)
      .where({ passed: true })
      .select('userId', 'courseId', 'lessonId', 'submittedAt')
      .all(),
  ])
  type Place = { marked: Map<string, Date>; passed: Map<string, Date> }
  const found = new Map<string, Place>()
  const placeFor = (userId: string, courseId: string) => {
    const key = `${userId} ${courseId}`
    const place: Place = found.get(key) ?? { marked: new Map(), passed: new Map() }
    found.set(key, place)
    return place
  }
  for (const { userId, courseId, lessonId, completedAt } of marks) {
    if (completedAt) placeFor(userId, courseId).marked.set(lessonId, completedAt)
  }
  for (const { userId, courseId, lessonId, submittedAt } of passes) {
    const { passed } = placeFor(userId, courseId)
    const before = passed.get(lessonId)
    if (submittedAt && (!before || submittedAt < before)) passed.set(lessonId, submittedAt)
  }
  return (userId, courseId) => found.get(`${userId} ${courseId}`) ?? NOTHING
}

export async function findCompletion(
  deps: Uses<'db'>,
  { userId, courseId }: { userId: string; courseId: string },
): Promise<Completion> {
  const of = await findCompletions(deps, { userIds: [userId], courseIds: [courseId] })
  return of(userId, courseId)
}

export function doneAt({ marked, passed }: Completion, lesson: Lesson): Date | null {
  return (lesson.kind === 'QUIZ' ? passed : marked).get(lesson.id) ?? null
}

type Share = { percent: number; completed: number; total: number }

/** Only what is listed counts, on both sides: a removed lesson can push nobody over the whole. */
export function shareDone(course: Pick<CourseDocument, 'sections'>, done: Completion): Share {
  const listed = lessonsOf(course.sections)
  const completed = listed.filter((lesson) => doneAt(done, lesson) !== null).length
  const total = listed.length
  return { percent: total === 0 ? 0 : Math.floor((completed * 100) / total), completed, total }
}
