import { beforeAll, describe, expect, it } from 'vitest'
import { aLearner, aQuizCourse, passed, rightAnswers } from '../support/builders/learning.ts'
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

describe('an attempt', () => {
  it('asks without the answers, is graded on the server and then shows them', async () => {
    const examined = await aQuizCourse(lms)
    const { api } = await aLearner(lms, examined)
    const attempt = await api.quizzes.start.mutate(examined.ref)
    expect(attempt).toMatchObject({ number: 1, state: 'OPEN', deadlineAt: null, result: null })
    expect(attempt.questions).toHaveLength(3)
    expect(Object.keys(attempt.questions[0] ?? {}).sort()).toEqual([
      'id',
      'kind',
      'options',
      'points',
      'prompt',
    ])
    expect(JSON.stringify(attempt)).not.toMatch(/correct|explanation|one owner|drop|optionIds/)

    const answers = rightAnswers(examined, attempt)
    const done = await api.quizzes.submit.mutate({ attemptId: attempt.id, answers })
    expect(done).toMatchObject({
      state: 'SUBMITTED',
      result: { score: 6, maxScore: 6, passed: true },
    })
    expect(done.result?.key?.map(({ explanation }) => explanation)).toContain(
      'Each value has one owner.',
    )
    expect(await api.quizzes.result.query({ attemptId: attempt.id })).toEqual(done)
  })

  it('gives points for whole right answers only, whatever the case and spaces of a text', async () => {
    const examined = await aQuizCourse(lms, { passPercent: 50 })
    const { api } = await aLearner(lms, examined)
    const attempt = await api.quizzes.start.mutate(examined.ref)
    const given = rightAnswers(examined, attempt).map((answer) => {
      const kind = attempt.questions.find(({ id }) => id === answer.questionId)?.kind
      if (kind === 'TEXT') return { ...answer, text: '  Going  OUT of scope ' }
      return kind === 'MULTIPLE' ? { ...answer, optionIds: answer.optionIds.slice(0, 1) } : answer
    })
    const { result } = await api.quizzes.submit.mutate({ attemptId: attempt.id, answers: given })
    expect(result).toMatchObject({ score: 3, maxScore: 6, passed: true })
    const points = attempt.questions.map(({ id, kind }) => [
      kind,
      result?.answers.find(({ questionId }) => questionId === id)?.points,
    ])
    expect(Object.fromEntries(points)).toEqual({ SINGLE: 2, MULTIPLE: 0, TEXT: 1 })
  })

  it('takes every option ticked, or none at all, for wrong', async () => {
    const examined = await aQuizCourse(lms)
    const { api } = await aLearner(lms, examined)
    const greedy = await api.quizzes.start.mutate(examined.ref)
    const everything = greedy.questions.map(({ id, options }) => ({
      questionId: id,
      optionIds: options.map((option) => option.id),
      text: 'drop, going out of scope',
    }))
    const all = await api.quizzes.submit.mutate({ attemptId: greedy.id, answers: everything })
    expect(all.result).toMatchObject({ score: 0, passed: false, key: null })
    const empty = await api.quizzes.start.mutate(examined.ref)
    const none = await api.quizzes.submit.mutate({ attemptId: empty.id, answers: [] })
    expect(none.result).toMatchObject({ score: 0, maxScore: 6, passed: false, key: null })
    expect(none.result?.answers).toHaveLength(3)
  })

  it('keeps its questions in one order, and its grading when the quiz is rewritten', async () => {
    const examined = await aQuizCourse(lms)
    const { api } = await aLearner(lms, examined)
    const attempt = await api.quizzes.start.mutate(examined.ref)
    const options = [{ text: 'Yes', correct: true }, { text: 'No' }]
    await examined.owner.api.courses.setQuiz.mutate({
      ...examined.ref,
      questions: [{ kind: 'SINGLE', prompt: 'Sure?', options }],
    })
    expect(await api.quizzes.start.mutate(examined.ref)).toEqual(attempt)
    expect(await api.quizzes.result.query({ attemptId: attempt.id })).toEqual(attempt)
    const answers = rightAnswers(examined, attempt)
    const done = await api.quizzes.submit.mutate({ attemptId: attempt.id, answers })
    expect(done.result).toMatchObject({ score: 6, maxScore: 6, passed: true })
  })

  it('is passed by what was asked when it began, whatever is asked of later ones', async () => {
    const examined = await aQuizCourse(lms, { passPercent: 0 })
    const { owner, ref, quiz } = examined
    const { api } = await aLearner(lms, examined)
    const begun = await api.quizzes.start.mutate(ref)
    const question = { kind: 'TEXT' as const, prompt: 'Sure?', answers: ['yes'] }
    const stricter = { ...ref, questions: [question], passPercent: 100 }
    await owner.api.courses.setQuiz.mutate(stricter)
    const done = await api.quizzes.submit.mutate({ attemptId: begun.id, answers: [] })
    expect(done.result).toMatchObject({ score: 0, maxScore: 6, passed: true })
    expect(quiz.passPercent).toBe(0)
    const later = await api.quizzes.start.mutate(ref)
    const failed = await api.quizzes.submit.mutate({ attemptId: later.id, answers: [] })
    expect(failed.result).toMatchObject({ maxScore: 1, passed: false })
  })

  it('is one of a hundred at most, also where the author sets no limit', async () => {
    const examined = await aQuizCourse(lms)
    const { api, user } = await aLearner(lms, examined)
    const { id } = await api.quizzes.start.mutate(examined.ref)
    const mine = lms.db.orm.quiz_attempts.where({ userId: user.id })
    await mine.update({ number: 99 })
    await api.quizzes.submit.mutate({ attemptId: id, answers: [] })
    const outcomes = await many(5, () => api.quizzes.start.mutate(examined.ref))
    expect(outcomes.map(({ value }) => value?.number)).toEqual(Array(5).fill(100))
    const last = outcomes[0]?.value?.id ?? ''
    const done = await api.quizzes.submit.mutate({ attemptId: last, answers: [] })
    expect(done.result?.key).toHaveLength(3)
    await refused(api.quizzes.start.mutate(examined.ref), 'ATTEMPTS_USED_UP')
  })

  it('shows the answers to who failed only when no attempt is left or open', async () => {
    const examined = await aQuizCourse(lms, { maxAttempts: 2 })
    const { api } = await aLearner(lms, examined)
    const fail = async () => {
      const { id } = await api.quizzes.start.mutate(examined.ref)
      return api.quizzes.submit.mutate({ attemptId: id, answers: [] })
    }
    const first = await fail()
    expect(first.result?.key).toBeNull()
    const second = await api.quizzes.start.mutate(examined.ref)
    const during = await api.quizzes.result.query({ attemptId: first.id })
    expect(during.result?.key).toBeNull()
    await api.quizzes.submit.mutate({ attemptId: second.id, answers: [] })
    const after = await api.quizzes.result.query({ attemptId: first.id })
    expect(after.result?.key).toHaveLength(3)
    await refused(api.quizzes.start.mutate(examined.ref), 'ATTEMPTS_USED_UP')
  })

  it('is named by its id, or by its lesson as the last of one’s own', async () => {
    const examined = await aQuizCourse(lms)
    const { ref } = examined
    const { api } = await aLearner(lms, examined)
    const other = await aLearner(lms, examined)
    await passed(examined, other)
    await refused(api.quizzes.result.query(ref), 'NOT_FOUND')
    await refused(api.quizzes.submit.mutate({ ...ref, answers: [] }), 'NOT_FOUND')
    const first = await api.quizzes.start.mutate(ref)
    const failed = await api.quizzes.submit.mutate({ ...ref, answers: [] })
    expect(failed).toMatchObject({ id: first.id, result: { passed: false } })
    await refused(api.quizzes.submit.mutate({ ...ref, answers: [] }), 'ATTEMPT_CLOSED')
    const second = await api.quizzes.start.mutate(ref)
    expect(await api.quizzes.result.query(ref)).toEqual(second)
    const answers = rightAnswers(examined, second)
    const done = await api.quizzes.submit.mutate({ id: second.id, answers })
    expect(done.result).toMatchObject({ passed: true })
    expect(await api.quizzes.result.query({ id: second.id })).toEqual(done)
    expect(await api.quizzes.result.query(ref)).toEqual(done)
    expect(await api.quizzes.result.query({ ...ref, attemptId: first.id })).toEqual(failed)
    const stranger = await aStudent(lms)
    await refused(stranger.api.quizzes.result.query(ref), 'NOT_ENROLLED')
    await refused(stranger.api.quizzes.submit.mutate({ ...ref, answers: [] }), 'NOT_ENROLLED')
  })

  it('lists one’s own attempts, the last first', async () => {
    const examined = await aQuizCourse(lms)
    const student = await aLearner(lms, examined)
    const { id } = await student.api.quizzes.start.mutate(examined.ref)
    await student.api.quizzes.submit.mutate({ attemptId: id, answers: [] })
    await passed(examined, student)
    await passed(examined, await aLearner(lms, examined))
    const page = await student.api.quizzes.attempts.query({ ...examined.ref, limit: 1 })
    expect(page).toMatchObject({ items: [{ number: 2, passed: true, score: 6 }], nextCursor: '2' })
    const rest = await student.api.quizzes.attempts.query({ ...examined.ref, cursor: '2' })
    expect(rest).toMatchObject({ items: [{ id, number: 1, passed: false }], nextCursor: null })
  })
})
