import { randomInt } from 'node:crypto'
import { z } from 'zod'
import type { Actor } from '../../auth/sessions.ts'
import { MAX_ATTEMPTS, type Question } from '../../courses/quiz.ts'
import { isDuplicateKey } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import { Id, orNamed } from '../../fields.ts'
import {
  attemptOf,
  findAnswerKey,
  isOpen,
  questionsOf,
  stateOf,
  type Attempt,
  type AttemptDocument,
} from './attempt.ts'
import { grade, type Answer } from './grading.ts'
import { requireQuiz } from './quiz.ts'
import { LessonRef, requireEnrolledLesson } from '../access/require-enrolled.ts'

const ById = z.object({ attemptId: Id })

/** An attempt by its id, or one's last at a lesson. */
export const AttemptRef = z.union([orNamed(ById, 'attemptId', 'id'), LessonRef])
export type AttemptRef = z.infer<typeof AttemptRef>

const GivenAnswer = z.object({
  questionId: z.string().max(64),
  optionIds: z.array(z.string().max(64)).max(20).default([]),
  text: z.string().max(2_000).default(''),
})

const answers = z.array(GivenAnswer).max(200)

export const Submission = z.union([
  orNamed(ById.extend({ answers }), 'attemptId', 'id'),
  LessonRef.extend({ answers }),
])
export type Submission = z.infer<typeof Submission>

/**
 * Begins an attempt, or answers the one under way. Attempts are numbered and the number is unique, so of any
 * who start at once one makes it and the others find it: no limit can be passed by asking faster.
 */
export async function startQuiz(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: LessonRef,
): Promise<Attempt> {
  const { course, lesson } = await requireEnrolledLesson(deps, actor, ref)
  const quiz = await requireQuiz(deps, lesson.id)
  for (;;) {
    const now = deps.now()
    const last = await findLastAttempt(deps, { userId: actor.id, lessonId: lesson.id })
    if (last && stateOf(last, now) === 'OPEN') return attemptOf(last, { now, key: null })
    const number = (last?.number ?? 0) + 1
    if (number > (quiz.maxAttempts ?? MAX_ATTEMPTS)) throw new DomainError('ATTEMPTS_USED_UP')
    try {
      const made = await deps.db.orm.quiz_attempts.create({
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
      return attemptOf(made, { now, key: null })
    } catch (error) {
      if (!isDuplicateKey(error)) throw error
    }
  }
}

/** Grades on the server and stores answers and grade in one write, once and in time, or not at all. */
export async function submitQuiz(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  { answers, ...ref }: Submission,
): Promise<Attempt> {
  const attempt = await requireAttempt(deps, actor, ref)
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

export async function requireQuizResult(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: AttemptRef,
): Promise<Attempt> {
  return attemptWithResult(deps, await requireAttempt(deps, actor, ref))
}

/** One's own attempt at a lesson that one can still open. */
async function requireAttempt(
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

async function attemptWithResult(
  deps: Uses<'db' | 'now'>,
  attempt: AttemptDocument,
): Promise<Attempt> {
  const questions = questionsOf(attempt)
  const isShown = await isAnswerKeyShown(deps, attempt)
  const key = isShown ? await findAnswerKey(deps, { lessonId: attempt.lessonId, questions }) : null
  return attemptOf(attempt, { now: deps.now(), key })
}

// While an attempt is open or still to be had, its answers would be a gift.
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

function findLastAttempt(
  { db }: Uses<'db'>,
  { userId, lessonId }: { userId: string; lessonId: string },
): Promise<AttemptDocument | null> {
  return db.orm.quiz_attempts.where({ userId, lessonId }).orderBy({ number: -1 }).first()
}

function checkAnswers(questions: Question[], answers: Answer[]): void {
  const open = new Set(questions.map(({ id }) => id))
  const issues = answers.flatMap(({ questionId }, at) =>
    open.delete(questionId)
      ? []
      : [{ path: `answers.${at}.questionId`, message: 'is not asked, or is answered twice' }],
  )
  if (issues.length > 0) throw new DomainError('INVALID_INPUT', { issues })
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
