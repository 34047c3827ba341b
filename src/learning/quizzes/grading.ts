import type { Question } from '../../courses/quiz.ts'
import { isSameAnswer } from './same-answer.ts'

export type Answer = { questionId: string; optionIds: string[]; text: string }

/** The right answer to one question: all of `optionIds`, or any of `texts`. */
export type AnswerKey = {
  readonly questionId: string
  readonly optionIds: readonly string[]
  readonly texts: readonly string[]
}

export type GradedAnswer = Answer & { isRight: boolean; points: number }

export type Grade = { score: number; maxScore: number; passed: boolean; answers: GradedAnswer[] }

type GradingInput = { questions: Question[]; answers: Answer[]; passPercent: number }

/**
 * Full points or none for each question; one without an answer, or without a key, is wrong. Passed is
 * 100 × score ≥ passPercent × maxScore.
 */
export function grade(
  { questions, answers, passPercent }: GradingInput,
  keys: readonly AnswerKey[],
): Grade {
  const graded = questions.map((question) => {
    const given = answers.find(({ questionId }) => questionId === question.id)
    const key = keys.find(({ questionId }) => questionId === question.id)
    const answer = given ?? { questionId: question.id, optionIds: [], text: '' }
    const isRight = key !== undefined && isCorrectAnswer(question, answer, key)
    return { ...answer, isRight, points: isRight ? question.points : 0 }
  })
  const score = graded.reduce((sum, { points }) => sum + points, 0)
  const maxScore = questions.reduce((sum, { points }) => sum + points, 0)
  const passed = maxScore > 0 && score * 100 >= passPercent * maxScore
  return { score, maxScore, passed, answers: graded }
}

function isCorrectAnswer({ kind }: Question, { optionIds, text }: Answer, key: AnswerKey): boolean {
  if (kind === 'TEXT') return key.texts.some((right) => isSameAnswer(text, right))
  const given = new Set(optionIds)
  // A key with no option would make an empty answer right.
  return (
    key.optionIds.length > 0 &&
    given.size === key.optionIds.length &&
    key.optionIds.every((id) => given.has(id))
  )
}
