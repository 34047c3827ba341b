import { beforeAll, describe, expect, it } from 'vitest'
import {
  aLearner,
  aQuizCourse,
  withAccessRevoked,
  rightAnswers,
} from '../support/builders/learning.ts'
import { aStudent } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const many = <Outcome>(count: number, make: () => Promise<Outcome>) =>
  Promise.all(
    Array.from({ length: count }, () =>
      make().then(
        (value) => ({ value, error: null }),
        (error: unknown) => ({ value: null, error }),
      ),
    ),
  )

describe('the time limit of a quiz', () => {
  it('is kept by the server: answers in time count, later ones do not', async () => {
    const examined = await aQuizCourse(lms, { timeLimitSeconds: 60 })
    const { api } = await aLearner(lms, examined)
    const inTime = await api.quizzes.start.mutate(examined.ref)
    expect(inTime.deadlineAt?.getTime()).toBe(inTime.startedAt.getTime() + 60_000)
    lms.clock.advance(59)
    const answers = rightAnswers(examined, inTime)
    await api.quizzes.submit.mutate({ attemptId: inTime.id, answers: answers.slice(0, 1) })

    const late = await api.quizzes.start.mutate(examined.ref)
    lms.clock.advance(120)
    const submission = { attemptId: late.id, answers: rightAnswers(examined, late) }
    await refused(api.quizzes.submit.mutate(submission), 'ATTEMPT_CLOSED')
    const over = await api.quizzes.result.query({ attemptId: late.id })
    expect(over).toMatchObject({ state: 'EXPIRED', result: null })
    const next = await api.quizzes.start.mutate(examined.ref)
    expect(next).toMatchObject({ number: 3, state: 'OPEN' })
  })

  it('counts an attempt that ran out', async () => {
    const examined = await aQuizCourse(lms, { timeLimitSeconds: 60, maxAttempts: 1 })
    const { api } = await aLearner(lms, examined)
    await api.quizzes.start.mutate(examined.ref)
    lms.clock.advance(120)
    await refused(api.quizzes.start.mutate(examined.ref), 'ATTEMPTS_USED_UP')
  })
})

describe('a quiz', () => {
  it('refuses strangers, those who left, the author, and other people’s attempts', async () => {
    const examined = await aQuizCourse(lms)
    const [stranger, left, learner] = [
      await aStudent(lms),
      await aLearner(lms, examined),
      await aLearner(lms, examined),
    ]
    const theirs = await left.api.quizzes.start.mutate(examined.ref)
    const submission = { attemptId: theirs.id, answers: rightAnswers(examined, theirs) }
    await refused(learner.api.quizzes.submit.mutate(submission), 'NOT_FOUND')
    await refused(learner.api.quizzes.result.query({ attemptId: theirs.id }), 'NOT_FOUND')
    await withAccessRevoked(examined, left)
    await refused(left.api.quizzes.submit.mutate(submission), 'NOT_ENROLLED')
    await refused(left.api.quizzes.result.query({ attemptId: theirs.id }), 'NOT_ENROLLED')
    for (const { api } of [stranger, left, examined.owner]) {
      await refused(api.quizzes.start.mutate(examined.ref), 'NOT_ENROLLED')
      await refused(api.quizzes.attempts.query(examined.ref), 'NOT_ENROLLED')
    }
    const visitor = lms.visitor()
    await refused(visitor.api.quizzes.start.mutate(examined.ref), 'UNAUTHENTICATED')
    expect(await lms.db.orm.quiz_attempts.where({ _id: theirs.id }).first()).toMatchObject({
      passed: null,
    })
  })

  it('refuses what is no quiz, no answer to it, or an answer twice', async () => {
    const examined = await aQuizCourse(lms)
    const { api } = await aLearner(lms, examined)
    const { courseId, lessonIds } = examined
    const text = { courseId, lessonId: lessonIds[0] ?? '' }
    await refused(api.quizzes.start.mutate(text), 'NOT_FOUND')
    const attempt = await api.quizzes.start.mutate(examined.ref)
    const [answer] = rightAnswers(examined, attempt)
    if (!answer) throw new Error('the quiz has questions')
    const submit = (answers: (typeof answer)[]) =>
      api.quizzes.submit.mutate({ attemptId: attempt.id, answers })
    await refused(submit([answer, answer]), 'INVALID_INPUT')
    await refused(submit([{ ...answer, questionId: 'f'.repeat(24) }]), 'INVALID_INPUT')
    await refused(submit([{ ...answer, text: 'x'.repeat(2_001) }]), 'INVALID_INPUT')
    const state = await api.quizzes.result.query({ attemptId: attempt.id })
    expect(state).toMatchObject({ state: 'OPEN', result: null })
  })
})

describe('a quiz asked for many times at once', () => {
  it('starts one attempt of ten starts', async () => {
    const examined = await aQuizCourse(lms, { maxAttempts: 3 })
    const { api } = await aLearner(lms, examined)
    const outcomes = await many(10, () => api.quizzes.start.mutate(examined.ref))
    expect(new Set(outcomes.map(({ value }) => value?.id)).size).toBe(1)
    expect(outcomes.map(({ value }) => value?.number)).toEqual(Array(10).fill(1))
  })

  it('grants no attempt beyond the limit to ten who ask for the last one', async () => {
    const examined = await aQuizCourse(lms, { maxAttempts: 2 })
    const { api, user } = await aLearner(lms, examined)
    const first = await api.quizzes.start.mutate(examined.ref)
    await api.quizzes.submit.mutate({ attemptId: first.id, answers: [] })
    const play = async () => {
      const { id } = await api.quizzes.start.mutate(examined.ref)
      return api.quizzes.submit.mutate({ attemptId: id, answers: [] })
    }
    const outcomes = await many(10, play)
    expect(outcomes.filter(({ value }) => value !== null)).toHaveLength(1)
    const rows = await lms.db.orm.quiz_attempts.where({ userId: user.id }).all()
    expect(rows.map(({ number }) => number).sort()).toEqual([1, 2])
  })

  it('takes one of ten submissions, and grades that one', async () => {
    const examined = await aQuizCourse(lms)
    const { api } = await aLearner(lms, examined)
    const attempt = await api.quizzes.start.mutate(examined.ref)
    const right = rightAnswers(examined, attempt)
    let turn = 0
    const outcomes = await many(10, () => {
      turn += 1
      const answers = turn % 2 === 0 ? right : []
      return api.quizzes.submit.mutate({ attemptId: attempt.id, answers })
    })
    const [winner, ...others] = outcomes.flatMap(({ value }) => value ?? [])
    expect(others).toEqual([])
    expect(await api.quizzes.result.query({ attemptId: attempt.id })).toEqual(winner)
    const losers = outcomes.flatMap(({ error }) => (error ? [Promise.reject(error as Error)] : []))
    for (const loser of losers) await refused(loser, 'ATTEMPT_CLOSED')
  })
})
