import { z } from 'zod'
import type { Actor } from '../../auth/sessions.ts'
import { bytesOf } from '../../courses/course-size.ts'
import type { Question } from '../../courses/quiz.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import { exactly, lines, orNamed } from '../../fields.ts'
import { LessonRef } from '../access/require-enrolled.ts'
import { AttemptId, requireOwnAttempt, attemptWithResult } from './attempt-result.ts'
import { findAnswerKey, isOpen, questionsOf, type Attempt } from './attempt.ts'
import { grade, type Answer } from './grading.ts'
import { requireQuiz } from './quiz.ts'

const GivenAnswer = z.object({
  questionId: exactly(0, 64),
  optionIds: z.array(exactly(0, 64)).max(20).default([]),
  text: lines(2_000).default(''),
})

// They are stored with the attempt, and exported.
const MAX_ANSWERS_BYTES = 128 * 1024
const answers = z
  .array(GivenAnswer)
  .max(200)
  .refine((given) => bytesOf(given) <= MAX_ANSWERS_BYTES, 'are too long in all')

export const Submission = z.union([
  orNamed(AttemptId.extend({ answers }), 'attemptId', 'id'),
  LessonRef.extend({ answers }),
])
export type Submission = z.infer<typeof Submission>

/**
 * Grades the answers on the server and stores both in one write, once and in time, or not at all.
 *
 * Throws NOT_FOUND, NOT_ENROLLED, INVALID_INPUT (an answer to what was not asked, or two to one question), or
 * ATTEMPT_CLOSED (submitted already, or past its deadline).
 */
export async function submitQuiz(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  { answers, ...ref }: Submission,
): Promise<Attempt> {
  const attempt = await requireOwnAttempt(deps, actor, ref)
  const questions = questionsOf(attempt)
  checkAnswers(questions, answers)
  const { lessonId } = attempt
  const key = await findAnswerKey(deps, { lessonId, questions })
  // Attempts begun before this was stored with them go by the quiz as it is.
  const passPercent = attempt.passPercent ?? (await requireQuiz(deps, lessonId)).passPercent
  const now = deps.now()
  const graded = grade({ questions, answers, passPercent }, key)
  const submitted = await deps.db.orm.quiz_attempts
    .where({ _id: attempt._id, userId: actor.id })
    .where(isOpen(now))
    .update({ ...graded, submittedAt: now })
  if (!submitted) throw new DomainError('ATTEMPT_CLOSED')
  return attemptWithResult(deps, submitted)
}

function checkAnswers(questions: Question[], answers: Answer[]): void {
  const unanswered = new Set(questions.map(({ id }) => id))
  const issues = answers.flatMap(({ questionId }, at) =>
    unanswered.delete(questionId)
      ? []
      : [{ path: `answers.${at}.questionId`, message: 'is not asked, or is answered twice' }],
  )
  if (issues.length > 0) throw new DomainError('INVALID_INPUT', { issues })
}
