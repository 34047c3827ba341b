import { api, type Outputs } from './api.ts'
import { button, form } from './controls.ts'
import { el, type Child } from './el.ts'
import { count, duration, time } from './format.ts'
import { reload } from './navigation.ts'
import type { Lesson } from './screens/lesson.ts'

type Quiz = Extract<Lesson['opened'], { kind: 'QUIZ' }>['quiz']
type Attempt = Outputs['quizzes']['start']
type Question = Attempt['questions'][number]
type Answer = { questionId: string; optionIds: string[]; text: string }

export function quiz({ course, opened, progress }: Lesson, about: Quiz): HTMLElement {
  const { questionCount, passPercent, maxAttempts, timeLimitSeconds } = about
  const facts = [
    count(questionCount, 'question'),
    `${passPercent}% to pass`,
    ...(timeLimitSeconds === null ? [] : [duration(timeLimitSeconds)]),
    ...(maxAttempts === null ? [] : [count(maxAttempts, 'attempt')]),
  ]
  const place = el('div', { class: 'quiz' }, el('p', { class: 'quiet' }, facts.join(' · ')))
  const ref = { courseId: course.id, lessonId: opened.lessonId }
  const start = button('Start the quiz', async () => {
    place.replaceChildren(paper(await api.quizzes.start.mutate(ref), place))
  })
  if (progress) place.append(start)
  return place
}

function paper(attempt: Attempt, place: HTMLElement): HTMLElement {
  const { questions, deadlineAt } = attempt
  const made = form({
    fields: [
      deadlineAt && el('p', { class: 'quiet' }, `Hand in by ${time(deadlineAt)}`),
      questions.map(ask),
    ],
    action: 'Hand in',
    submit: async () => {
      const answers = questions.map((question) => answerTo(made, question))
      const marked = await api.quizzes.submit.mutate({ attemptId: attempt.id, answers })
      place.replaceChildren(report(marked))
    },
  })
  return made
}

function ask({ id, kind, prompt, options }: Question): HTMLElement {
  const type = kind === 'MULTIPLE' ? 'checkbox' : 'radio'
  return el(
    'fieldset',
    {},
    el('legend', {}, prompt),
    kind === 'TEXT'
      ? el('input', { name: id, 'aria-label': 'Your answer', autocomplete: 'off' })
      : options.map((option) =>
          el(
            'label',
            { class: 'option' },
            el('input', { type, name: id, value: option.id }),
            option.text,
          ),
        ),
  )
}

function answerTo(made: HTMLFormElement, { id, kind }: Question): Answer {
  const given = new FormData(made).getAll(id).filter((value) => typeof value === 'string')
  return kind === 'TEXT'
    ? { questionId: id, optionIds: [], text: given[0] ?? '' }
    : { questionId: id, optionIds: given, text: '' }
}

function report({ questions, result }: Attempt): Child & Node {
  const right = new Set(
    result?.answers.flatMap(({ questionId, isRight }) => (isRight ? [questionId] : [])),
  )
  const verdict = result?.passed === true ? 'Passed' : 'Not passed yet'
  return el(
    'div',
    { role: 'status' },
    el('h2', {}, `${verdict}: ${result?.score ?? 0} of ${result?.maxScore ?? 0} points`),
    el(
      'ol',
      {},
      questions.map(({ id, prompt }) =>
        el(
          'li',
          {},
          `${prompt} `,
          el(
            'span',
            { class: right.has(id) ? 'badge good' : 'badge bad' },
            right.has(id) ? 'Right' : 'Wrong',
          ),
        ),
      ),
    ),
    button(
      'Go on',
      () => {
        reload()
        return Promise.resolve()
      },
      'plain',
    ),
  )
}
