import { beforeAll, describe, expect, it } from 'vitest'
import { anInstructor } from '../support/builders/people.ts'
import { aDraft } from '../support/builders/courses.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const quiz = {
  questions: [
    {
      kind: 'SINGLE' as const,
      prompt: 'Two and two?',
      options: [{ text: 'Four', correct: true }, { text: 'Five' }],
    },
    { kind: 'TEXT' as const, prompt: 'The capital of India?', answers: ['New Delhi'] },
  ],
}

describe('an outline', () => {
  it('is built, reordered and cut by its owner', async () => {
    const { course, sectionId, lessonId, owner } = await aDraft(lms)
    const courseId = course.id
    const { courses } = owner.api
    const second = await courses.addSection.mutate({ courseId, title: 'Second' })
    await courses.updateSection.mutate({ courseId, sectionId, title: 'First' })
    const other = await courses.addLesson.mutate({
      ...{ courseId, sectionId, title: 'Zero', kind: 'TEXT', preview: true, position: 0 },
    })
    const shown = (outline: { sections: { title: string; lessons: { title: string }[] }[] }) =>
      outline.sections.map(({ title, lessons }) => [title, ...lessons.map((one) => one.title)])
    const moved = await courses.moveSection.mutate({ courseId, sectionId, position: 1 })
    expect(shown(moved)).toEqual([['Second'], ['First', 'Zero', 'Hello']])
    const away = { courseId, lessonId, sectionId: second.id, position: 9 }
    expect(shown(await courses.moveLesson.mutate(away))).toEqual([
      ['Second', 'Hello'],
      ['First', 'Zero'],
    ])
    const changed = await courses.updateLesson.mutate({ courseId, lessonId: other.id, title: 'A' })
    expect(changed).toMatchObject({ title: 'A', preview: true })
    const cut = await courses.removeSection.mutate({ courseId, sectionId: second.id })
    expect(shown(cut)).toEqual([['First', 'A']])
    expect(await lms.db.orm.lesson_texts.where({ lessonId }).first()).toBeNull()
  })

  it('takes an id for that of the part and an index for a position, and not two of them that differ', async () => {
    const { course, sectionId, lessonId, owner } = await aDraft(lms)
    const courseId = course.id
    const { courses } = owner.api
    const second = await courses.addSection.mutate({ courseId, title: 'Second' })
    const lesson = { courseId, sectionId, title: 'Zero', kind: 'TEXT' as const }
    const { id } = await courses.addLesson.mutate(lesson)
    const shown = ({ sections }: { sections: { lessons: { id: string }[] }[] }) =>
      sections.map(({ lessons }) => lessons.map((one) => one.id))
    const within = await courses.moveLesson.mutate({ courseId, id, index: 0 })
    expect(shown(within)).toEqual([[id, lessonId], []])
    const both = { courseId, id, lessonId, index: 9, position: 0 }
    await refused(courses.moveLesson.mutate(both), 'DUPLICATE_PARAMETER')
    await courses.moveLesson.mutate({ courseId, lessonId, position: 0 })
    const moved = await courses.moveSection.mutate({ courseId, id: second.id, index: 0 })
    expect(shown(moved)).toEqual([[], [lessonId, id]])
    await courses.updateSection.mutate({ courseId, id: second.id, title: 'Now first' })
    await courses.updateLesson.mutate({ courseId, id, title: 'Renamed' })
    const workshop = await courses.authoring.query({ courseId })
    expect(workshop.sections[0]?.title).toBe('Now first')
    expect(workshop.sections[1]?.lessons[1]?.title).toBe('Renamed')
    expect(shown(await courses.removeLesson.mutate({ courseId, id }))).toEqual([[], [lessonId]])
    const left = await courses.removeSection.mutate({ courseId, id: second.id })
    expect(shown(left)).toEqual([[lessonId]])
  })

  it('takes a quiz with its lesson, and for no other kind', async () => {
    const { course, sectionId, lessonId, owner } = await aDraft(lms)
    const courseId = course.id
    const { courses } = owner.api
    const lesson = { courseId, sectionId, title: 'Check', quiz: { ...quiz, passPercent: 80 } }
    const { id } = await courses.addLesson.mutate({ ...lesson, kind: 'QUIZ' })
    const written = async () => {
      const { sections } = await courses.authoring.query({ courseId })
      return sections[0]?.lessons.find((one) => one.id === id)?.quiz
    }
    expect(await written()).toMatchObject({ passPercent: 80, questions: [{}, {}] })
    const fewer = { questions: quiz.questions.slice(1) }
    await courses.updateLesson.mutate({ courseId, lessonId: id, quiz: fewer })
    expect(await written()).toMatchObject({ passPercent: 60, questions: [{ kind: 'TEXT' }] })
    await refused(courses.addLesson.mutate({ ...lesson, kind: 'TEXT' }), 'INVALID_INPUT')
    await refused(courses.updateLesson.mutate({ courseId, lessonId, quiz }), 'INVALID_INPUT')
    expect(await lms.db.orm.quizzes.where({ courseId }).all()).toHaveLength(1)
    const nowhere = { ...lesson, kind: 'QUIZ' as const, sectionId: '0'.repeat(24) }
    await refused(courses.addLesson.mutate(nowhere), 'NOT_FOUND')
    expect(await lms.db.orm.quizzes.where({ courseId }).all()).toHaveLength(1)
  })

  it('takes the lesson’s text and quiz away with the lesson', async () => {
    const { course, sectionId, lessonId, owner } = await aDraft(lms)
    const courseId = course.id
    const lesson = { courseId, sectionId, title: 'Check', kind: 'QUIZ' as const }
    const { id } = await owner.api.courses.addLesson.mutate(lesson)
    await owner.api.courses.setQuiz.mutate({ courseId, lessonId: id, ...quiz })
    for (const gone of [lessonId, id])
      await owner.api.courses.removeLesson.mutate({ courseId, lessonId: gone })
    const { lesson_texts, quizzes, quiz_keys } = lms.db.orm
    expect(await lesson_texts.where({ lessonId }).first()).toBeNull()
    expect(await quizzes.where({ lessonId: id }).first()).toBeNull()
    expect(await quiz_keys.where({ lessonId: id }).first()).toBeNull()
  })

  it('keeps only harmless text', async () => {
    const { course, lessonId, owner } = await aDraft(lms)
    const courseId = course.id
    const hostile = [
      '<script>alert(1)</script><img src=x onerror=alert(1)>',
      '<a href="javascript:alert(1)" onclick="x()">a</a><a href="https://ok.test">b</a>',
      '<a href="//evil.test">c</a><svg><foreignObject><p>kept</p></foreignObject></svg>',
    ].join('')
    await owner.api.courses.updateLesson.mutate({ courseId, lessonId, body: hostile })
    await owner.api.courses.update.mutate({ id: courseId, description: hostile })
    const workshop = await owner.api.courses.authoring.query({ courseId })
    const rel = 'rel="nofollow noopener noreferrer"'
    const clean = `<a ${rel}>a</a><a href="https://ok.test" ${rel}>b</a><a ${rel}>c</a><p>kept</p>`
    expect(workshop.sections[0]?.lessons[0]?.body).toBe(clean)
    expect(workshop.description).toBe(clean)
  })

  it('has answers to its quizzes in the workshop, and beside the questions nowhere else', async () => {
    const { course, sectionId, owner } = await aDraft(lms)
    const courseId = course.id
    const lesson = { courseId, sectionId, title: 'Check', kind: 'QUIZ' as const }
    const { id: lessonId } = await owner.api.courses.addLesson.mutate(lesson)
    await owner.api.courses.setQuiz.mutate({ courseId, lessonId, ...quiz, maxAttempts: 3 })
    const workshop = await owner.api.courses.authoring.query({ courseId })
    const stored = workshop.sections[0]?.lessons[1]?.quiz
    expect(stored).toMatchObject({ passPercent: 60, maxAttempts: 3, timeLimitSeconds: null })
    const [single, text] = stored?.questions ?? []
    expect(single?.optionIds).toEqual([single?.options[0]?.id])
    expect(text?.texts).toEqual(['New Delhi'])
    const questions = await lms.db.driver.collection('quizzes').findOne({ lessonId })
    expect(JSON.stringify(questions)).not.toMatch(/correct|New Delhi|optionIds/)
  })

  it('refuses what does not fit, and changes nothing', async () => {
    const { course, sectionId, lessonId, owner } = await aDraft(lms)
    const courseId = course.id
    const { courses } = owner.api
    const before = await courses.authoring.query({ courseId })
    const lesson = { courseId, sectionId, title: 'New', kind: 'VIDEO' as const }
    const unknown = '0'.repeat(24)
    await refused(courses.addLesson.mutate({ ...lesson, sectionId: unknown }), 'NOT_FOUND')
    await refused(courses.addLesson.mutate({ ...lesson, body: 'text' }), 'INVALID_INPUT')
    await refused(courses.addLesson.mutate({ ...lesson, mediaId: unknown }), 'INVALID_INPUT')
    await refused(courses.addLesson.mutate({ ...lesson, title: 'a\u202eb' }), 'INVALID_INPUT')
    await refused(courses.addLesson.mutate({ ...lesson, kind: 'LIVE' as never }), 'INVALID_INPUT')
    await refused(courses.updateSection.mutate({ courseId, sectionId, title: '' }), 'INVALID_INPUT')
    await refused(
      courses.moveLesson.mutate({ courseId, lessonId, sectionId: unknown, position: 0 }),
      'NOT_FOUND',
    )
    await refused(
      courses.moveSection.mutate({ courseId, sectionId, position: -1 }),
      'INVALID_INPUT',
    )
    await refused(courses.removeLesson.mutate({ courseId, lessonId: unknown }), 'NOT_FOUND')
    await refused(courses.setQuiz.mutate({ courseId, lessonId, ...quiz }), 'INVALID_INPUT')
    const stranger = await anInstructor(lms)
    await refused(stranger.api.courses.addLesson.mutate(lesson), 'NOT_FOUND')
    const after = await courses.authoring.query({ courseId })
    expect(after).toEqual(before)
  })

  it('has an end', async () => {
    const { course, owner } = await aDraft(lms)
    const sections = Array.from({ length: 100 }, (_, i) => ({
      id: String(i).padStart(24, '0'),
      title: `Section ${i}`,
      lessons: [],
    }))
    await lms.db.orm.courses.where({ _id: course.id }).update({ sections })
    const more = { courseId: course.id, title: 'One more' }
    await refused(owner.api.courses.addSection.mutate(more), 'INVALID_INPUT')
  })
})
