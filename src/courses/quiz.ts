import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'
import { refuseInput } from '../errors.ts'
import type { CourseDocument } from './course.ts'
import { requireLessonIn } from './outline.ts'
import type { NewQuiz, QuizTerms, QuizQuestion } from './quiz-terms.ts'

// The right answers of earlier versions are kept, so that an attempt begun before an edit can still be
// graded.
const MAX_ANSWERS = 1_000

/** The right answer to one question: all of `optionIds`, or any of `texts`. A quiz's are its answer key. */
export type CorrectAnswer = {
  questionId: string
  optionIds: string[]
  texts: string[]
  explanation: string | null
}

/** A question as students see it. */
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

/**
 * Replaces the questions of a lesson; attempts that are open keep theirs. Throws NOT_FOUND (no such lesson)
 * or INVALID_INPUT (it is no quiz).
 */
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
 * Stores a quiz. The answer key is stored apart from the questions, so that no reader of questions can leak
 * it; and before them, under new ids, so that two saves at once never mix: whichever questions stay have
 * their own answers.
 */
export async function putQuiz(
  { db, now }: Uses<'db' | 'now'>,
  { courseId, lessonId }: { courseId: string; lessonId: string },
  { questions: given, passPercent, maxAttempts, timeLimitSeconds }: QuizTerms,
): Promise<AuthoredQuiz> {
  const created = given.map(createQuestion)
  await db.driver
    .collection<{ lessonId: string; answers: CorrectAnswer[] }>('quiz_keys')
    .updateOne(
      { lessonId },
      { $push: { answers: { $each: created.map(({ answer }) => answer), $slice: -MAX_ANSWERS } } },
      { upsert: true },
    )
  const settings = { passPercent, maxAttempts, timeLimitSeconds }
  const stored = {
    questions: created.map(({ question }) => question),
    ...settings,
    updatedAt: now(),
  }
  await db.orm.quizzes
    .where({ lessonId })
    .upsert({ create: { courseId, lessonId, ...stored }, update: stored })
  return {
    questions: created.map(({ question, answer: { questionId: _, ...answer } }) => ({
      ...question,
      ...answer,
    })),
    ...settings,
  }
}

function createQuestion(given: QuizQuestion): { question: Question; answer: CorrectAnswer } {
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

/** Lesson id → its quiz as the author sees it, for every quiz of a course. */
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
