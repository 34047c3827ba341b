import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Uses } from '../deps.ts'
import { refuseInput } from '../errors.ts'
import { Id, line } from '../fields.ts'
import type { CourseDocument } from './course.ts'
import { requireLessonIn } from './outline.ts'

// Answers of earlier versions are kept, so that an attempt begun before an edit can still be graded.
const MAX_ANSWERS = 1_000

/** Of one user at one quiz, also where its author sets no limit: each attempt stores its questions. */
export const MAX_ATTEMPTS = 100

const Prompt = line(1, 2_000)
const question = { prompt: Prompt, points: z.int().min(1).max(100).default(1) }
const explanation = z.string().trim().max(2_000).optional()

const Option = z.object({ text: line(1, 500), correct: z.boolean().default(false) })
const options = z.array(Option).min(2).max(10)
const countCorrect = (given: { correct: boolean }[]) => given.filter((one) => one.correct).length

export const QuizQuestion = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('SINGLE'),
    ...question,
    options: options.refine((given) => countCorrect(given) === 1, 'needs exactly one right option'),
    explanation,
  }),
  z.object({
    kind: z.literal('MULTIPLE'),
    ...question,
    options: options.refine((given) => countCorrect(given) >= 1, 'needs a right option'),
    explanation,
  }),
  z.object({
    kind: z.literal('TEXT'),
    ...question,
    /** Each of these is right; case and outer spaces do not matter. */
    answers: z.array(line(1, 200)).min(1).max(20),
    explanation,
  }),
])
export type QuizQuestion = z.infer<typeof QuizQuestion>

export const QuizTerms = z.object({
  questions: z.array(QuizQuestion).min(1).max(100),
  passPercent: z.int().min(0).max(100).default(60),
  maxAttempts: z.int().min(1).max(MAX_ATTEMPTS).nullable().default(null),
  timeLimitSeconds: z.int().min(10).max(86_400).nullable().default(null),
})
export type QuizTerms = z.infer<typeof QuizTerms>

export const NewQuiz = QuizTerms.extend({ lessonId: Id })
export type NewQuiz = z.infer<typeof NewQuiz>

/** What is right: all of `optionIds`, or any of `texts`. */
export type CorrectAnswer = {
  questionId: string
  optionIds: string[]
  texts: string[]
  explanation: string | null
}

export type Question = {
  id: string
  kind: 'SINGLE' | 'MULTIPLE' | 'TEXT'
  prompt: string
  points: number
  options: { id: string; text: string }[]
}

/** A quiz as its author sees it, answers and all. */
export type AuthoredQuiz = {
  questions: (Question & Omit<CorrectAnswer, 'questionId'>)[]
  passPercent: number
  maxAttempts: number | null
  timeLimitSeconds: number | null
}

export async function setQuiz(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  { lessonId, ...terms }: NewQuiz,
): Promise<AuthoredQuiz> {
  if (requireLessonIn(course.sections, lessonId).kind !== 'QUIZ')
    refuseInput('lessonId', 'is not a quiz')
  return putQuiz(deps, { courseId: course._id, lessonId }, terms)
}

/**
 * Answers are stored apart from questions, so that no reader of questions can leak them; and before them,
 * under new ids, so that two saves at once never mix: whichever questions stay have their own answers.
 */
export async function putQuiz(
  { db, now }: Uses<'db' | 'now'>,
  { courseId, lessonId }: { courseId: string; lessonId: string },
  { questions: given, passPercent, maxAttempts, timeLimitSeconds }: QuizTerms,
): Promise<AuthoredQuiz> {
  const made = given.map(makeQuestion)
  await db.driver
    .collection<{ lessonId: string; answers: CorrectAnswer[] }>('quiz_keys')
    .updateOne(
      { lessonId },
      { $push: { answers: { $each: made.map(({ answer }) => answer), $slice: -MAX_ANSWERS } } },
      { upsert: true, maxTimeMS: 5_000 },
    )
  const settings = { passPercent, maxAttempts, timeLimitSeconds }
  const stored = { questions: made.map(({ question }) => question), ...settings, updatedAt: now() }
  await db.orm.quizzes
    .where({ lessonId })
    .upsert({ create: { courseId, lessonId, ...stored }, update: stored })
  return {
    questions: made.map(({ question, answer: { questionId: _, ...answer } }) => ({
      ...question,
      ...answer,
    })),
    ...settings,
  }
}

function makeQuestion(given: QuizQuestion): { question: Question; answer: CorrectAnswer } {
  const { kind, prompt, points } = given
  const id = newId()
  const explanation = given.explanation ?? null
  if (given.kind === 'TEXT') {
    return {
      question: { id, kind, prompt, points, options: [] },
      answer: { questionId: id, optionIds: [], texts: given.answers, explanation },
    }
  }
  const options = given.options.map(({ text, correct }) => ({ id: newId(), text, correct }))
  return {
    question: { id, kind, prompt, points, options: options.map(({ id, text }) => ({ id, text })) },
    answer: {
      questionId: id,
      optionIds: options.filter(({ correct }) => correct).map(({ id }) => id),
      texts: [],
      explanation,
    },
  }
}

function newId(): string {
  return new ObjectId().toHexString()
}

export async function findAuthoredQuizzes(
  { db }: Uses<'db'>,
  courseId: string,
): Promise<Map<string, AuthoredQuiz>> {
  const quizzes = await db.orm.quizzes.where({ courseId }).all()
  if (quizzes.length === 0) return new Map()
  const isTheirs = MongoFieldFilter.in(
    'lessonId',
    quizzes.map(({ lessonId }) => lessonId),
  )
  const keys = await db.orm.quiz_keys.where(isTheirs).all()
  const answers = new Map(
    keys.flatMap((key) => key.answers.map((answer) => [answer.questionId, answer])),
  )
  return new Map(
    quizzes.map((quiz) => {
      const questions = quiz.questions.map(({ id, kind, prompt, points, options }) => {
        const answer = answers.get(id)
        return {
          id,
          kind: kind as QuizQuestion['kind'],
          prompt,
          points,
          options: options.map(({ id, text }) => ({ id, text })),
          optionIds: [...(answer?.optionIds ?? [])],
          texts: [...(answer?.texts ?? [])],
          explanation: answer?.explanation ?? null,
        }
      })
      const { passPercent, maxAttempts, timeLimitSeconds } = quiz
      const settings = {
        passPercent,
        maxAttempts: maxAttempts ?? null,
        timeLimitSeconds: timeLimitSeconds ?? null,
      }
      return [quiz.lessonId, { questions, ...settings }] as const
    }),
  )
}
