import { beforeAll, describe, expect, it } from 'vitest'
import { fold } from '../../src/fold.ts'
import { isSameAnswer } from '../../src/learning/quizzes/same-answer.ts'
import { aCourse, aLearner } from '../support/builders/learning.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const SAME: [string, string][] = [
  ['don’t', "don't"],
  ['don‘t', "don't"],
  ['don´t', "don't"],
  ['don`t', "don't"],
  ['rockʼnʼroll', "rock'n'roll"],
  ['“yes”', '"yes"'],
  ['“yes”', 'yes'],
  ['«oui»', '"oui"'],
  ['„ja“', '"ja"'],
  ['1914–1918', '1914-1918'],
  ['well—known', 'well-known'],
  ['−5', '-5'],
  ['non‐stop', 'non-stop'],
  ['Paris.', 'Paris'],
  ['Paris', 'Paris.'],
  ['Paris!', 'Paris'],
  ['Paris…', 'Paris'],
  ['दिल्ली।', 'दिल्ली'],
  ['東京。', '東京'],
  ['لاہور۔', 'لاہور'],
  ['४२', '42'],
  ['٤٢', '42'],
  ['۴۲', '42'],
  ['৪২', '42'],
  ['௪௨', '42'],
  ['๔๒', '42'],
  ['４２', '42'],
  ['42', '४२'],
  ['\u{1e954}\u{1e952}', '42'],
  ['𑁪𑁨', '42'],
  ['क्\u200dष', 'क्ष'],
  ['می\u200cروم', 'میروم'],
  ['علي', 'علی'],
  ['علىٰ', 'علیٰ'],
  ['كتاب', 'کتاب'],
  ['كتـــاب', 'کتاب'],
  ['ന്\u200d', 'ൻ'],
  ['Pa\u00adris', 'Paris'],
  ['\u200eParis\u200f', 'Paris'],
  ['\ufeffParis', 'Paris'],
  ['cafe\u0301', 'café'],
  ['क\u093c', '\u0958'],
  ['ﬁne', 'fine'],
  ['Ｐａｒｉｓ', 'paris'],
  ['STRASSE', 'straße'],
  ['İSTANBUL', 'istanbul'],
  ['ISPARTA', 'ısparta'],
  ['ΟΔΟΣ', 'οδοσ'],
  ['οδός', 'ΟΔΌΣ'],
  ['New\u00a0Delhi', ' new  delhi '],
  ['New\u3000Delhi', 'New\nDelhi'],
  ['1,000', '1000'],
  ['1,00,000', '100000'],
  ['100000', '1,00,000'],
  ['1٬000', '1000'],
  ['.5', '0.5'],
  ['٠٫٥', '0.5'],
  ['+7', '7'],
  ['½', '1/2'],
  ['1½', '1 1/2'],
  ['x²', 'x^2'],
  ['10⁻³', '10^-3'],
  ['H₂O', 'h2o'],
]

const DIFFERENT: [string, string][] = [
  ['cafe', 'café'],
  ['42', '24'],
  ['10²', '102'],
  ['1½', '11/2'],
  ['5!', '5'],
  ['save', 'save!'],
  ['yes', '"yes"'],
  ['"5"', '5'],
  ['', 'Paris'],
  ['.', 'Paris'],
  ['!', '?'],
  ['...', '!'],
  ['-5', '5'],
  ['1,5', '15'],
  ['1,0000', '10000'],
  ['3.10', '3.1'],
  ['007', '7'],
  ['newdelhi', 'new delhi'],
  ['a-b', 'ab'],
  ['हिन्दी', 'हिन्द'],
]

describe('an answer', () => {
  it.each(SAME)('%j is %j', (given, right) => {
    expect(isSameAnswer(given, right)).toBe(true)
  })

  it.each(DIFFERENT)('%j is not %j', (given, right) => {
    expect(isSameAnswer(given, right)).toBe(false)
  })

  it('is folded to what folds no further', () => {
    for (const text of SAME.flat().concat(DIFFERENT.flat()))
      expect(fold(fold(text))).toBe(fold(text))
  })

  it('in every script’s digits is the same number', () => {
    const digits = Array.from({ length: 0x1ffff }, (_, code) => String.fromCodePoint(code)).filter(
      (character) => /\p{Nd}/u.test(character),
    )
    expect(digits.length).toBeGreaterThan(600)
    for (let at = 0; at < digits.length; at += 10)
      expect(
        digits
          .slice(at, at + 10)
          .map(fold)
          .join(''),
      ).toBe('0123456789')
  })

  it('is graded so', async () => {
    const taught = await aCourse(lms, { lessons: 1 })
    const { owner, courseId, sectionId } = taught
    const asked = SAME.slice(0, 20)
    const { id: lessonId } = await owner.api.courses.addLesson.mutate({
      ...{ courseId, sectionId, title: 'Check', kind: 'QUIZ' },
      quiz: {
        passPercent: 100,
        questions: asked.map(([prompt, right]) => ({
          kind: 'TEXT' as const,
          prompt,
          answers: ['another', right],
        })),
      },
    })
    const { api } = await aLearner(lms, taught)
    const attempt = await api.quizzes.start.mutate({ courseId, lessonId })
    const answers = attempt.questions.map(({ id, prompt }) => ({ questionId: id, text: prompt }))
    const { result } = await api.quizzes.submit.mutate({ attemptId: attempt.id, answers })
    expect(result).toMatchObject({ passed: true, score: asked.length })
    // What was written stays as it was.
    expect(result?.answers.map(({ text }) => text)).toEqual(answers.map(({ text }) => text))
    expect(result?.key?.map(({ texts }) => texts[1]).sort()).toEqual(
      asked.map(([, right]) => right).sort(),
    )
  })
})
