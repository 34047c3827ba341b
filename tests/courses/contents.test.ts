import { beforeAll, describe, expect, it } from 'vitest'
import { publishCourse } from '../../src/courses/publishing.ts'
import { findAuthoredQuizzes } from '../../src/courses/quiz.ts'
import {
  findCompletedLessons,
  summarizeCompletion,
} from '../../src/learning/progress/completion.ts'
import { findCourse } from '../../src/courses/course.ts'
import { aLearner, aQuizCourse, passed } from '../support/builders/learning.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

/** The database, and the collections whose whole documents were asked for. */
function watched() {
  const read: string[] = []
  const orm = new Proxy(lms.db.orm, {
    get: (target, name) => {
      read.push(String(name))
      return Reflect.get(target, name) as unknown
    },
  })
  return { read, db: { ...lms.db, orm } }
}

describe('the contents of a course', () => {
  it('are counted and not read when it is published', async () => {
    const { courseId } = await aQuizCourse(lms)
    const course = await findCourse(lms.db, { _id: courseId })
    if (!course) throw new Error('there is a course')
    const { db, read } = watched()
    const published = await publishCourse({ db, now: lms.clock.now }, course)
    expect(published.status).toBe('PUBLISHED')
    expect(read).toEqual(['courses'])
  })

  it('have their right answers in one question, however many quizzes there are', async () => {
    const { courseId, sectionId, owner } = await aQuizCourse(lms)
    for (const title of ['Second', 'Third']) {
      const lesson = { courseId, sectionId, title, kind: 'QUIZ' as const }
      const { id: lessonId } = await owner.api.courses.addLesson.mutate(lesson)
      const question = { kind: 'TEXT' as const, prompt: title, answers: [`The ${title}`] }
      await owner.api.courses.setQuiz.mutate({ courseId, lessonId, questions: [question] })
    }
    const course = await findCourse(lms.db, { _id: courseId })
    const lessonIds = course?.sections.flatMap(({ lessons }) => lessons.map(({ id }) => id)) ?? []
    const { db, read } = watched()
    const quizzes = await findAuthoredQuizzes({ db }, lessonIds)
    expect(read).toEqual(['quizzes'])
    const texts = [...quizzes.values()].flatMap(({ questions }) => questions.map((q) => q.texts))
    expect(texts.flat().sort()).toEqual(['The Second', 'The Third', 'drop', 'going out of scope'])
  })

  it('are done by each student in two statements, without reading a mark', async () => {
    const examined = await aQuizCourse(lms)
    const { courseId, lessonIds } = examined
    const [one, two] = [await aLearner(lms, examined), await aLearner(lms, examined)]
    await one.api.progress.complete.mutate({ courseId, lessonId: lessonIds[0] ?? '' })
    await passed(examined, one)
    await passed(examined, two)
    await passed(examined, two)
    const course = await findCourse(lms.db, { _id: courseId })
    if (!course) throw new Error('there is a course')
    const { db, read } = watched()
    const userIds = [one.user.id, two.user.id]
    const doneBy = await findCompletedLessons({ db }, { userIds, courseIds: [courseId] })
    expect(read).toEqual([])
    expect(userIds.map((id) => summarizeCompletion(course, doneBy(id, courseId)).percent)).toEqual([
      100, 50,
    ])
  })
})
