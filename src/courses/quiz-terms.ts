import { z } from 'zod'
import { Id, line, lines } from '../fields.ts'
import { bytesOf } from './course-size.ts'

/** Of one student at one quiz, also where its author sets no limit: each attempt stores its questions. */
export const MAX_ATTEMPTS = 100

const Prompt = line(1, 2_000)
const question = { prompt: Prompt, points: z.int().min(1).max(100).default(1) }
const explanation = lines(2_000).optional()

const Option = z.object({ text: line(1, 500), correct: z.boolean().default(false) })
const options = z.array(Option).min(2).max(10)
const countCorrect = (given: { correct: boolean }[]) => given.filter((one) => one.correct).length

// Answer keys of earlier versions are kept, and an attempt carries its questions.
const MAX_QUESTION_BYTES = 16 * 1024
const MAX_QUESTIONS_BYTES = 192 * 1024

const isWithin = (most: number) => (given: object) => bytesOf(given) <= most

const AnyQuestion = z.discriminatedUnion('kind', [
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

export const QuizQuestion = AnyQuestion.refine(isWithin(MAX_QUESTION_BYTES), 'is too long in all')
export type QuizQuestion = z.infer<typeof QuizQuestion>

export const QuizTerms = z.object({
  questions: z
    .array(QuizQuestion)
    .min(1)
    .max(100)
    .refine(isWithin(MAX_QUESTIONS_BYTES), 'are too long in all'),
  passPercent: z.int().min(0).max(100).default(60),
  maxAttempts: z.int().min(1).max(MAX_ATTEMPTS).nullable().default(null),
  timeLimitSeconds: z.int().min(10).max(86_400).nullable().default(null),
})
export type QuizTerms = z.infer<typeof QuizTerms>

export const NewQuiz = QuizTerms.extend({ lessonId: Id })
export type NewQuiz = z.infer<typeof NewQuiz>
