import { randomInt } from 'node:crypto'
import type { Actor } from '../../auth/sessions.ts'
import { MAX_ATTEMPTS } from '../../courses/quiz-terms.ts'
import { isDuplicateKey } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import { requireEnrolledLesson, type LessonRef } from '../access/require-enrolled.ts'
import { noteOpening } from '../progress/openings.ts'
import { attemptOf, stateOf, type Attempt, findLastAttempt } from './attempt.ts'
import { requireQuiz } from './quiz.ts'

/**
 * Begins an attempt, or answers the open one. Attempts are numbered and the number is unique, so of several
 * requests at once one begins it and the others find it: no student can pass the limit by asking faster.
 *
 * Throws NOT_FOUND, NOT_ENROLLED, or ATTEMPTS_USED_UP.
 */
export async function startQuiz(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: LessonRef,
): Promise<Attempt> {
  const opening = await requireEnrolledLesson(deps, actor, ref)
  const { course, lesson } = opening
  const quiz = await requireQuiz(deps, lesson.id)
  await noteOpening(deps, actor, opening)
  for (;;) {
    const now = deps.now()
    const last = await findLastAttempt(deps, { userId: actor.id, lessonId: lesson.id })
    if (last && stateOf(last, now) === 'OPEN') return attemptOf(last, { now, key: null })
    const number = (last?.number ?? 0) + 1
    if (number > (quiz.maxAttempts ?? MAX_ATTEMPTS)) throw new DomainError('ATTEMPTS_USED_UP')
    try {
      const created = await deps.db.orm.quiz_attempts.create({
        userId: actor.id,
        courseId: course._id,
        lessonId: lesson.id,
        number,
        questions: shuffled(quiz.questions),
        passPercent: quiz.passPercent,
        answers: null,
        startedAt: now,
        deadlineAt: deadlineOf(now, quiz.timeLimitSeconds),
        submittedAt: null,
        score: null,
        maxScore: null,
        passed: null,
      })
      return attemptOf(created, { now, key: null })
    } catch (error) {
      if (!isDuplicateKey(error)) throw error
    }
  }
}

function deadlineOf(from: Date, seconds: number | null): Date | null {
  return seconds === null ? null : new Date(from.getTime() + seconds * 1000)
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  const mixed = [...items]
  for (let at = mixed.length - 1; at > 0; at -= 1) {
    const other = randomInt(at + 1)
    const [a, b] = [mixed[at], mixed[other]]
    if (a === undefined || b === undefined) continue
    mixed[at] = b
    mixed[other] = a
  }
  return mixed
}
