import type { z } from 'zod'
import { beforeAll, describe, expect, it } from 'vitest'
import { aLearner, aQuizCourse, rightAnswers } from './support/builders/learning.ts'
import { aDraft } from './support/builders/courses.ts'
import { aStudent } from './support/builders/people.ts'
import { post } from './support/builders/auth.ts'
import { refused } from './support/client.ts'
import { defOf } from './fuzz/arbitrary.ts'
import { startLms, type Lms } from './support/harness.ts'
import { PROCEDURES } from './support/procedures.ts'

type Schema = z.core.$ZodType
type Leaf = { path: string; schema: Schema }

/** Every schema that takes one text or one number, with where it stands. */
function leavesOf(schema: Schema, path: string): Leaf[] {
  const def = defOf(schema)
  switch (def.type) {
    case 'object':
      return Object.entries(def.shape as Record<string, Schema>).flatMap(([name, field]) =>
        leavesOf(field, `${path}.${name}`),
      )
    case 'array':
      return leavesOf(def.element, `${path}[]`)
    case 'union':
      return def.options.flatMap((option) => leavesOf(option, path))
    case 'nullable':
    case 'optional':
    case 'default':
    case 'prefault':
    case 'readonly':
      return leavesOf(def.innerType, path)
    case 'pipe': {
      if (defOf(def.in).type === 'transform') return leavesOf(def.out, path)
      return ['string', 'number'].includes(defOf(def.in).type)
        ? [{ path, schema }]
        : leavesOf(def.in, path)
    }
    default:
      return [{ path, schema }]
  }
}

const kindOf = ({ schema }: Leaf): string => {
  const def = defOf(schema)
  return def.type === 'pipe' ? defOf(def.in).type : def.type
}
const takes = ({ schema }: Leaf, value: unknown) => schema['~standard'].validate(value)
const isTaken = (leaf: Leaf, value: unknown) => !('issues' in (takes(leaf, value) as object))

const LEAVES = PROCEDURES.flatMap(({ name, inputs }) =>
  inputs.flatMap((schema) => leavesOf(schema, name)),
)
const TEXTS = LEAVES.filter((leaf) => kindOf(leaf) === 'string')
const NUMBERS = LEAVES.filter((leaf) => kindOf(leaf) === 'number')

/** What each string of an input is, in one of these shapes. */
const PLAIN = [
  'Sunlit gardens',
  'asha@example.test',
  '65f0c0ffee0123456789abcd',
  'SAVE-2026',
  'react-basics',
  '123456',
  'BEGINNER',
  '29ABCDE1234F1ZW',
  'Karnataka',
  '26-27',
  'pay_AbCdEfGhIjKlMn',
  'order_AbCdEfGhIjKlMn',
]

const HARMFUL = {
  'the first half of a character': '\ud800',
  'the second half of one': '\udc00',
  NUL: '\u0000',
  'a bell': '\u0007',
  'a C1 control': '\u0085',
  'a bidi override': '\u202e',
  'a bidi isolate': '\u2066',
  'no character': '\ufdd0',
  'no character of another plane': '\u{1ffff}',
}

const split = (text: string, inserted: string) => text.slice(0, 3) + inserted + text.slice(3)

describe('every text of every input', () => {
  it('is found by this test', () => {
    expect(TEXTS.length).toBeGreaterThan(100)
    const paths = TEXTS.map(({ path }) => path)
    for (const path of [
      'courses.setQuiz.questions[].explanation',
      'courses.addLesson.body',
      'courses.list.q',
      'quizzes.submit.answers[].text',
      'auth.login.password',
      'orders.create.couponCode',
      'refunds.create.reason',
      'reviews.put.body',
    ])
      expect(paths).toContain(path)
  })

  it.each(Object.entries(HARMFUL))(
    'is refused with %s in it, and taken without',
    (_, character) => {
      const wrong = TEXTS.filter((leaf) => {
        const plain = PLAIN.find((text) => isTaken(leaf, text))
        return plain === undefined || isTaken(leaf, split(plain, character))
      })
      expect(wrong.map(({ path }) => path)).toEqual([])
    },
  )

  it('says why, in words', () => {
    const half = TEXTS.filter((leaf) => isTaken(leaf, 'Sunlit gardens')).map((leaf) => {
      const result = takes(leaf, 'Sun\ud800lit gardens') as { issues?: { message: string }[] }
      return result.issues?.map(({ message }) => message)
    })
    expect(new Set(half.flat())).toEqual(new Set(['has half a character']))
  })
})

describe('every number of every input', () => {
  it.each([Number.NaN, Infinity, -Infinity, 1e21, 2 ** 53])('is not %s', (number) => {
    expect(NUMBERS.length).toBeGreaterThan(30)
    expect(NUMBERS.filter((leaf) => isTaken(leaf, number)).map(({ path }) => path)).toEqual([])
  })
})

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

describe('a text', () => {
  it('is stored as it was sent or not at all', async () => {
    const { course, sectionId, lessonId, owner } = await aDraft(lms)
    const courseId = course.id
    const { courses } = owner.api
    const quizOf = (explanation: string) => ({
      ...{ courseId, sectionId, title: 'Check', kind: 'QUIZ' as const },
      quiz: {
        questions: [{ kind: 'TEXT' as const, prompt: 'Why?', answers: ['so'], explanation }],
      },
    })
    for (const body of [
      'a\ud800b',
      '<p>\udfff</p>',
      '<p>&#xd800;</p>',
      'a&#0;b',
      '&#x202e;x',
      '\u0000',
    ])
      await refused(courses.updateLesson.mutate({ courseId, lessonId, body }), 'INVALID_INPUT')
    for (const text of ['a\ud800b', 'a\u0000b', 'a\u202eb', 'a\uffffb'])
      await refused(courses.addLesson.mutate(quizOf(text)), 'INVALID_INPUT')
    const raw = await owner.fetch('/trpc/courses.addLesson', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ json: quizOf('a') }).replace(
        '"explanation":"a"',
        '"explanation":"\\ud83d"',
      ),
    })
    expect(raw.status).toBe(400)
    expect(await raw.text()).toContain('has half a character')
    const stored = await lms.db.orm.lesson_texts.where({ courseId }).all()
    expect(stored.map(({ body }) => body)).toEqual(['<p>Hello, world.</p>'])
    expect(await lms.db.orm.quizzes.where({ courseId }).all()).toEqual([])
    await courses.addLesson.mutate(quizOf('एक\n\tदो 👩\u200d🏫 \u200fاردو'))
  })

  it('has one spelling, however it was composed', async () => {
    const { api } = await aStudent(lms)
    const { name } = await api.account.update.mutate({ name: 'Rene\u0301e \u0929\u093c' })
    expect(name).toBe('Renée \u0929\u093c'.normalize('NFC'))
    const { course, owner } = await aDraft(lms)
    const described = await owner.api.courses.update.mutate({
      ...{ id: course.id, description: 'Cafe\u0301\r\none\rtwo', tags: ['e\u0301'] },
    })
    expect(described).toMatchObject({ description: 'Café\none\ntwo', tags: ['é'] })
  })

  it('of an answer is refused like any other', async () => {
    const examined = await aQuizCourse(lms)
    const { api } = await aLearner(lms, examined)
    const attempt = await api.quizzes.start.mutate(examined.ref)
    const answers = rightAnswers(examined, attempt)
    const broken = answers.map((answer) => ({ ...answer, text: 'a\ud800' }))
    const submission = { attemptId: attempt.id, answers: broken }
    await refused(api.quizzes.submit.mutate(submission), 'INVALID_INPUT')
    const done = await api.quizzes.submit.mutate({ attemptId: attempt.id, answers })
    expect(done.result).toMatchObject({ passed: true })
  })
})

describe('a number', () => {
  it('that is minus nothing is nothing', async () => {
    const { course, sectionId, lessonId, owner } = await aDraft(lms)
    const courseId = course.id
    const inputs: [string, object][] = [
      ['courses.create', { title: 'Free', pricePaise: -0, refundDays: -0, refundMaxPercent: -0 }],
      ['courses.update', { id: courseId, pricePaise: -0, refundDays: -0 }],
      ['courses.moveLesson', { courseId, lessonId, sectionId, position: -0 }],
      ['courses.addSection', { courseId, title: 'First', position: -0 }],
    ]
    for (const [path, input] of inputs) {
      // In both ways it can be written: as JSON knows it, and by superjson's annotation.
      const plain = JSON.stringify({ json: input }, (_, value: unknown) =>
        Object.is(value, -0) ? 'minus' : value,
      ).replaceAll('"minus"', '-0')
      const headers = { 'content-type': 'application/json' }
      const bare = await owner.fetch(`/trpc/${path}`, { method: 'POST', headers, body: plain })
      expect([path, bare.status]).toEqual([path, 200])
      expect([path, (await post(owner, { path }, input)).status]).toEqual([path, 200])
    }
    const free = await lms.db.driver.collection('courses').find({ pricePaise: 0 }).toArray()
    expect(free).toHaveLength(3)
    for (const row of free)
      expect([row['pricePaise'], row['refundDays']].every((n) => Object.is(n, 0))).toBe(true)
    const listed = `/trpc/courses.list?input=${encodeURIComponent('{"json":{"maxPrice":-0}}')}`
    expect((await lms.visitor().fetch(listed)).status).toBe(200)
  })

  it.each(['1e400', '-1e400', '9007199254740993', '1e21', '0.1', '-1'])(
    'that is %s is refused',
    async (number) => {
      const { owner } = await aDraft(lms)
      const body = `{"json":{"title":"Dear","pricePaise":${number}}}`
      const headers = { 'content-type': 'application/json' }
      const call = { method: 'POST', headers, body }
      const response = await owner.fetch('/trpc/courses.create', call)
      expect(response.status).toBe(400)
    },
  )
})
