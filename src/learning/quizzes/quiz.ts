import type { Question } from '../../courses/quiz.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'

/** A quiz before it is begun. */
export type Quiz = {
  passPercent: number
  maxAttempts: number | null
  timeLimitSeconds: number | null
  questionCount: number
  maxScore: number
  /** Null when there is a time limit: then they come with an attempt, which starts the clock. */
  questions: Question[] | null
}

type StoredQuiz = {
  passPercent: number
  maxAttempts: number | null
  timeLimitSeconds: number | null
  questions: Question[]
}

/** The quiz of a lesson as it is stored, without its answer key. Throws NOT_FOUND. */
export async function requireQuiz({ db }: Uses<'db'>, lessonId: string): Promise<StoredQuiz> {
  const quiz = await db.orm.quizzes.where({ lessonId }).first()
  if (!quiz) throw new DomainError('NOT_FOUND')
  return {
    passPercent: quiz.passPercent,
    maxAttempts: quiz.maxAttempts ?? null,
    timeLimitSeconds: quiz.timeLimitSeconds ?? null,
    questions: quiz.questions.map(({ id, kind, prompt, points, options }) => ({
      id,
      kind: kind as Question['kind'],
      prompt,
      points,
      options: options.map((option) => ({ id: option.id, text: option.text })),
    })),
  }
}

/** A quiz as a student sees it before beginning an attempt. */
export function publicQuiz({ questions, ...settings }: StoredQuiz): Quiz {
  return {
    ...settings,
    questionCount: questions.length,
    maxScore: questions.reduce((sum, { points }) => sum + points, 0),
    questions: settings.timeLimitSeconds === null ? questions : null,
  }
}
