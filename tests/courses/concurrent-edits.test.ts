import { beforeAll, describe, expect, it } from 'vitest'
import { aDraft } from '../support/builders/courses.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

describe('edits at the same moment', () => {
  it('all survive', async () => {
    const { course, sectionId, owner } = await aDraft(lms)
    const courseId = course.id
    const before = await owner.api.courses.authoring.query({ courseId })
    const titles = Array.from({ length: 12 }, (_, i) => `Lesson ${i}`)
    await Promise.all([
      ...titles.map((title) =>
        owner.api.courses.addLesson.mutate({
          courseId,
          sectionId,
          title,
          kind: 'TEXT',
          body: title,
        }),
      ),
      owner.api.courses.update.mutate({ id: courseId, title: 'Renamed meanwhile' }),
      owner.api.courses.addSection.mutate({ courseId, title: 'Meanwhile' }),
    ])
    const after = await owner.api.courses.authoring.query({ courseId })
    expect(after.title).toBe('Renamed meanwhile')
    expect(after.sections.map(({ title }) => title)).toEqual(['Beginnings', 'Meanwhile'])
    const lessons = after.sections[0]?.lessons ?? []
    expect(lessons.map(({ title }) => title).sort()).toEqual(['Hello', ...titles].sort())
    for (const { title, body } of lessons.slice(1)) expect(body).toBe(title)
    expect(after.version).toBe(before.version + 14)
  })

  it('cannot put back a lesson that was removed', async () => {
    const { course, sectionId, lessonId, owner } = await aDraft(lms)
    const courseId = course.id
    const outcomes = await Promise.allSettled([
      owner.api.courses.removeLesson.mutate({ courseId, lessonId }),
      owner.api.courses.moveLesson.mutate({ courseId, lessonId, sectionId, position: 0 }),
      owner.api.courses.updateLesson.mutate({ courseId, lessonId, title: 'Back' }),
    ])
    expect(outcomes[0].status).toBe('fulfilled')
    const after = await owner.api.courses.authoring.query({ courseId })
    expect(after.lessonCount).toBe(0)
  })

  it('publish a course or take its last lesson away, never both', async () => {
    const rounds = Array.from({ length: 8 }, async (_, round) => {
      const { course, sectionId, lessonId, owner } = await aDraft(lms)
      const courseId = course.id
      const { publish, removeLesson, removeSection, authoring } = owner.api.courses
      const [published, removed] = await Promise.allSettled([
        publish.mutate({ id: courseId }),
        round % 2 === 0
          ? removeLesson.mutate({ courseId, lessonId })
          : removeSection.mutate({ courseId, sectionId }),
      ])
      const { status, lessonCount } = await authoring.query({ courseId })
      expect([status, lessonCount]).toEqual(
        published.status === 'fulfilled' ? ['PUBLISHED', 1] : ['DRAFT', 0],
      )
      const loser = published.status === 'rejected' ? published : removed
      if (loser.status !== 'rejected') throw new Error('both were done')
      await refused(Promise.reject(loser.reason as Error), 'COURSE_NOT_READY')
    })
    await Promise.all(rounds)
  })

  it('to one quiz leave one of the two whole', async () => {
    const { course, sectionId, owner } = await aDraft(lms)
    const courseId = course.id
    const lesson = { courseId, sectionId, title: 'Check', kind: 'QUIZ' as const }
    const { id: lessonId } = await owner.api.courses.addLesson.mutate(lesson)
    const asked = Array.from({ length: 6 }, (_, i) => ({
      questions: [{ kind: 'TEXT' as const, prompt: `Version ${i}?`, answers: [`Answer ${i}`] }],
    }))
    await Promise.all(
      asked.map((one) => owner.api.courses.setQuiz.mutate({ courseId, lessonId, ...one })),
    )
    const workshop = await owner.api.courses.authoring.query({ courseId })
    const [question] = workshop.sections[0]?.lessons[1]?.quiz?.questions ?? []
    expect(question?.texts).toEqual([`Answer ${String(question?.prompt.at(-2))}`])
  })
})
