import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'
import { refuseInput } from '../errors.ts'
import { putContent, type ContentKey } from './contents.ts'
import { bytesOf } from './course-size.ts'
import type { CourseDocument } from './course.ts'
import { editCourse } from './edit.ts'
import { requireLessonIn, withLessonChanged } from './outline.ts'
import type { NewQuiz, QuizTerms, QuizQuestion } from './quiz-terms.ts'

// The right answers of earlier versions are kept, so that an attempt begun before an edit can still be
// graded.
const MAX_ANSWERS = 800

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
 * Replaces the questions of a lesson; attempts that are open keep theirs. Throws NOT_FOUND (no such lesson),
 * INVALID_INPUT (it is no quiz, or the course would hold too much) or CHANGED_MEANWHILE.
 */
export async function setQuiz(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  { lessonId, ...terms }: NewQuiz,
): Promise<AuthoredQuiz> {
  if (requireLessonIn(course.sections, lessonId).kind !== 'QUIZ')
    refuseInput('lessonId', 'is not a quiz')
  const bytes = bytesOf(terms)
  const { version } = await editCourse(deps, course, ({ sections }) => ({
    sections: withLessonChanged(sections, lessonId, (lesson) => ({ ...lesson, bytes })),
  }))
  return putQuiz(deps, { courseId: course._id, lessonId, revision: version }, terms)
}

/**
 * Stores a quiz. The answer key is stored apart from the questions, so that no reader of questions can leak
 * it; and before them, under new ids, so that two saves at once never mix: whichever questions stay have
 * their own answers.
 */
export async function putQuiz(
  { db, now }: Uses<'db' | 'now'>,
  key: ContentKey,
  { questions: given, passPercent, maxAttempts, timeLimitSeconds }: QuizTerms,
): Promise<AuthoredQuiz> {
  const created = given.map(createQuestion)
  await db.driver
    .collection<{ lessonId: string; answers: CorrectAnswer[] }>('quiz_keys')
    .updateOne(
      { lessonId: key.lessonId },
      { $push: { answers: { $each: created.map(({ answer }) => answer), $slice: -MAX_ANSWERS } } },
      { upsert: true },
    )
  const settings = { passPercent, maxAttempts, timeLimitSeconds }
  const questions = created.map(({ question }) => question)
  await putContent({ db }, 'quizzes', { ...key, questions, ...settings, updatedAt: now() })
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

/** Lesson id → its quiz as the author sees it, of those among these lessons that have one. */
export async function findAuthoredQuizzes(
  { db }: Uses<'db'>,
  lessonIds: string[],
): Promise<Map<string, AuthoredQuiz>> {
  if (lessonIds.length === 0) return new Map()
  const quizzes = await db.orm.quizzes.where(MongoFieldFilter.in('lessonId', lessonIds)).all()
  if (quizzes.length === 0) return new Map()
  const asked = quizzes.flatMap(({ questions }) => questions.map(({ id }) => id))
  const found = await findAnswers({ db }, lessonIds, asked)
  const answers = new Map(found.map((answer) => [answer.questionId, answer]))
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

/**
 * The right answers to these questions of these lessons. The database picks them: a key also holds those of
 * earlier versions.
 */
export async function findAnswers(
  { db }: Uses<'db'>,
  lessonIds: string[],
  questionIds: string[],
): Promise<CorrectAnswer[]> {
  const isAsked = { $in: ['$$this.questionId', questionIds] }
  const keys = await db.driver
    .collection('quiz_keys')
    .aggregate<{ answers: StoredAnswer[] }>([
      { $match: { lessonId: { $in: lessonIds } } },
      { $project: { answers: { $filter: { input: '$answers', cond: isAsked } } } },
    ])
    .toArray()
  return keys.flatMap(({ answers }) =>
    answers.map(({ questionId, optionIds, texts, explanation }) => ({
      questionId,
      optionIds,
      texts,
      explanation: explanation ?? null,
    })),
  )
}

/** What was absent when it was stored is no null here. */
type StoredAnswer = Omit<CorrectAnswer, 'explanation'> & { explanation?: string | null }
