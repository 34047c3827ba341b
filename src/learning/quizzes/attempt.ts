import { MongoAndExpr, MongoFieldFilter, MongoOrExpr } from '@prisma/orm-mongo/query-ast/execution'
import { findAnswers, type CorrectAnswer, type Question } from '../../courses/quiz.ts'
import type { Stored } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import type { GradedAnswer } from './grading.ts'

// What a student submitted in time may arrive a little later.
const GRACE_MS = 5_000

export type AttemptDocument = Stored<'quiz_attempts'>

export type AttemptResult = {
  submittedAt: Date
  score: number
  maxScore: number
  passed: boolean
  answers: GradedAnswer[]
  /** The right answers, once they can help nobody: after passing, or when no attempt is left. */
  key: CorrectAnswer[] | null
}

/** EXPIRED: its time ran out before it was submitted; it counts as an attempt. */
export type Attempt = {
  id: string
  courseId: string
  lessonId: string
  number: number
  state: 'OPEN' | 'SUBMITTED' | 'EXPIRED'
  startedAt: Date
  deadlineAt: Date | null
  questions: Question[]
  result: AttemptResult | null
}

/** Matches an attempt exactly while `stateOf` says OPEN. */
export function isOpen(now: Date): MongoAndExpr {
  return MongoAndExpr.of([
    MongoFieldFilter.isNull('submittedAt'),
    MongoOrExpr.of([
      MongoFieldFilter.isNull('deadlineAt'),
      MongoFieldFilter.gte('deadlineAt', new Date(now.getTime() - GRACE_MS)),
    ]),
  ])
}

/** Late by more than five seconds of grace, an attempt that was not submitted is EXPIRED. */
export function stateOf(
  attempt: Pick<AttemptDocument, 'submittedAt' | 'deadlineAt'>,
  now: Date,
): Attempt['state'] {
  if (attempt.submittedAt) return 'SUBMITTED'
  const isLate = attempt.deadlineAt && attempt.deadlineAt.getTime() + GRACE_MS < now.getTime()
  return isLate ? 'EXPIRED' : 'OPEN'
}

/** The questions as they were asked, in the order of this attempt. */
export function questionsOf(attempt: AttemptDocument): Question[] {
  return attempt.questions as Question[]
}

/** An attempt as its student sees it; `key` is the answer key, when it may be shown. */
export function attemptOf(
  attempt: AttemptDocument,
  { now, key }: { now: Date; key: CorrectAnswer[] | null },
): Attempt {
  const { _id: id, courseId, lessonId, number, startedAt, deadlineAt } = attempt
  return {
    id,
    courseId,
    lessonId,
    number,
    state: stateOf(attempt, now),
    startedAt,
    deadlineAt: deadlineAt ?? null,
    questions: questionsOf(attempt),
    result: resultOf(attempt, key),
  }
}

function resultOf(attempt: AttemptDocument, key: CorrectAnswer[] | null): AttemptResult | null {
  const { submittedAt, score, maxScore, passed, answers } = attempt
  if (!submittedAt) return null
  return {
    submittedAt,
    score: score ?? 0,
    maxScore: maxScore ?? 0,
    passed: passed ?? false,
    answers: answers as GradedAnswer[],
    key,
  }
}

/** The answer key to these questions; for the server's own use until the attempt is over. */
export function findAnswerKey(
  deps: Uses<'db'>,
  { lessonId, questions }: { lessonId: string; questions: Question[] },
): Promise<CorrectAnswer[]> {
  return findAnswers(
    deps,
    [lessonId],
    questions.map(({ id }) => id),
  )
}

/** The attempt of this student at this quiz with the highest number. */
export function findLastAttempt(
  { db }: Uses<'db'>,
  { userId, lessonId }: { userId: string; lessonId: string },
): Promise<AttemptDocument | null> {
  return db.orm.quiz_attempts.where({ userId, lessonId }).orderBy({ number: -1 }).first()
}
