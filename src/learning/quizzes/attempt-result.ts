import { z } from 'zod'
import type { Actor } from '../../auth/sessions.ts'
import { MAX_ATTEMPTS } from '../../courses/quiz-terms.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import { Id, orNamed } from '../../fields.ts'
import { LessonRef, requireEnrolledLesson } from '../access/require-enrolled.ts'
import {
  attemptOf,
  findAnswerKey,
  questionsOf,
  stateOf,
  type Attempt,
  type AttemptDocument,
  findLastAttempt,
} from './attempt.ts'
import { requireQuiz } from './quiz.ts'

export const AttemptId = z.object({ attemptId: Id })

/** An attempt by its id, or one's last at a lesson. */
export const AttemptRef = z.union([orNamed(AttemptId, 'attemptId', 'id'), LessonRef])
export type AttemptRef = z.infer<typeof AttemptRef>

/** A student's own attempt, with its result once it is submitted. Throws as `requireOwnAttempt` does. */
export async function requireQuizResult(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: AttemptRef,
): Promise<Attempt> {
  return attemptWithResult(deps, await requireOwnAttempt(deps, actor, ref))
}

/**
 * One's own attempt at a quiz in a course in which one is still enrolled. Throws NOT_FOUND (no such attempt,
 * or another student's) or NOT_ENROLLED.
 */
export async function requireOwnAttempt(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: AttemptRef,
): Promise<AttemptDocument> {
  const mine = { userId: actor.id }
  if ('lessonId' in ref) {
    await requireEnrolledLesson(deps, actor, ref)
    const last = await findLastAttempt(deps, { ...mine, lessonId: ref.lessonId })
    if (!last) throw new DomainError('NOT_FOUND')
    return last
  }
  const attempt = await deps.db.orm.quiz_attempts.where({ ...mine, _id: ref.attemptId }).first()
  if (!attempt) throw new DomainError('NOT_FOUND')
  const { courseId, lessonId } = attempt
  await requireEnrolledLesson(deps, actor, { courseId, lessonId })
  return attempt
}

/** The attempt as its student sees it now: the answer key is added once it can help nobody. */
export async function attemptWithResult(
  deps: Uses<'db' | 'now'>,
  attempt: AttemptDocument,
): Promise<Attempt> {
  const questions = questionsOf(attempt)
  const isShown = await isAnswerKeyShown(deps, attempt)
  const key = isShown ? await findAnswerKey(deps, { lessonId: attempt.lessonId, questions }) : null
  return attemptOf(attempt, { now: deps.now(), key })
}

// While the student has an attempt open or left, the right answers would be a gift.
async function isAnswerKeyShown(
  deps: Uses<'db' | 'now'>,
  attempt: AttemptDocument,
): Promise<boolean> {
  if (!attempt.submittedAt) return false
  if (attempt.passed) return true
  const { maxAttempts } = await requireQuiz(deps, attempt.lessonId)
  const last = await findLastAttempt(deps, attempt)
  if (!last || last.number < (maxAttempts ?? MAX_ATTEMPTS)) return false
  return stateOf(last, deps.now()) !== 'OPEN'
}
