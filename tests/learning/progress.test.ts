import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent } from '../support/builders/people.ts'
import { aDraft } from '../support/builders/courses.ts'
import {
  aCourse,
  aLearner,
  aQuizCourse,
  withAccessRevoked,
  passed,
  type Taught,
} from '../support/builders/learning.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const lessonOf = ({ courseId, lessonIds }: Taught, at: number) => ({
  courseId,
  lessonId: lessonIds[at] ?? '',
})

describe('progress', () => {
  it('counts what is done of what is listed, rounded down', async () => {
    const taught = await aCourse(lms, { lessons: 3 })
    const { courseId, lessonIds } = taught
    const { api } = await aLearner(lms, taught)
    expect(await api.progress.get.query({ courseId })).toEqual({
      courseId,
      percent: 0,
      completed: 0,
      total: 3,
      lessons: lessonIds.map((lessonId) => ({ lessonId, completedAt: null, positionSeconds: 0 })),
      resumeLessonId: lessonIds[0],
    })
    const one = await api.progress.complete.mutate(lessonOf(taught, 0))
    expect(one).toMatchObject({ percent: 33, completed: 1, resumeLessonId: lessonIds[1] })
    const two = await api.progress.complete.mutate(lessonOf(taught, 2))
    expect(two).toMatchObject({ percent: 66, completed: 2, resumeLessonId: lessonIds[1] })
    const all = await api.progress.complete.mutate(lessonOf(taught, 1))
    expect(all).toMatchObject({ percent: 100, completed: 3, resumeLessonId: null })
    const undone = await api.progress.reopen.mutate(lessonOf(taught, 0))
    expect(undone).toMatchObject({ percent: 66, resumeLessonId: lessonIds[0] })
  })

  it('keeps the first time a lesson was completed', async () => {
    const taught = await aCourse(lms, { lessons: 1 })
    const { api } = await aLearner(lms, taught)
    const first = await api.progress.complete.mutate(lessonOf(taught, 0))
    lms.clock.advance(60)
    const second = await api.progress.complete.mutate(lessonOf(taught, 0))
    expect(first.lessons[0]?.completedAt).toBeInstanceOf(Date)
    expect(second.lessons).toEqual(first.lessons)
  })

  it('never exceeds the whole when lessons are removed, and shrinks when some are added', async () => {
    const taught = await aCourse(lms, { lessons: 2 })
    const { courseId, sectionId, owner, lessonIds } = taught
    const { api } = await aLearner(lms, taught)
    await api.progress.complete.mutate(lessonOf(taught, 0))
    await api.progress.complete.mutate(lessonOf(taught, 1))
    await owner.api.courses.removeLesson.mutate({ courseId, lessonId: lessonIds[0] ?? '' })
    const fewer = await api.progress.get.query({ courseId })
    expect(fewer).toMatchObject({ percent: 100, completed: 1, total: 1 })
    await owner.api.courses.addLesson.mutate({
      courseId,
      sectionId,
      title: 'New',
      kind: 'TEXT',
      body: '<p>New.</p>',
    })
    expect(await api.progress.get.query({ courseId })).toMatchObject({ percent: 50, total: 2 })
    await refused(api.progress.complete.mutate(lessonOf(taught, 0)), 'NOT_FOUND')
  })

  it('remembers positions in whole seconds, up to the end', async () => {
    const taught = await aCourse(lms, { lessons: 2 })
    await lms.db.driver
      .collection('courses')
      .updateOne(
        { slug: taught.course.slug },
        { $set: { 'sections.0.lessons.1.durationSeconds': 90 } },
      )
    const { api } = await aLearner(lms, taught)
    const at = (seconds: number) => ({ ...lessonOf(taught, 1), seconds })
    const marked = await api.progress.position.mutate(at(90))
    expect(marked).toEqual({
      lessonId: taught.lessonIds[1],
      completedAt: null,
      positionSeconds: 90,
    })
    await api.progress.position.mutate(at(42))
    const progress = await api.progress.get.query({ courseId: taught.courseId })
    expect(progress.lessons[1]).toMatchObject({ positionSeconds: 42 })
    expect(progress.resumeLessonId).toBe(taught.lessonIds[1])

    const ref = lessonOf(taught, 1)
    for (const given of [{ seconds: 42.9 }, { position: 42.9 }, { positionSeconds: 42.9 }]) {
      await api.progress.position.mutate(at(7))
      const { positionSeconds } = await api.progress.position.mutate({ ...ref, ...given })
      expect([given, positionSeconds]).toEqual([given, 42])
    }
    const both = api.progress.position.mutate({ ...at(42), position: 7 })
    await refused(both, 'DUPLICATE_PARAMETER')

    const issues = await refused(api.progress.position.mutate(at(91)), 'INVALID_INPUT')
    expect(issues).toEqual([{ path: 'seconds', message: 'is beyond the end, 90' }])
    for (const seconds of [-1, 91.5, Infinity, NaN, 2 ** 40])
      await refused(api.progress.position.mutate(at(seconds)), 'INVALID_INPUT')
    const after = await api.progress.get.query({ courseId: taught.courseId })
    expect(after.lessons[1]).toMatchObject({ positionSeconds: 42 })
  })

  it('completes a quiz by passing it and in no other way', async () => {
    const examined = await aQuizCourse(lms)
    const student = await aLearner(lms, examined)
    await refused(student.api.progress.complete.mutate(examined.ref), 'QUIZ_LESSON')
    await refused(student.api.progress.reopen.mutate(examined.ref), 'QUIZ_LESSON')
    await passed(examined, student)
    const { courseId } = examined
    const progress = await student.api.progress.get.query({ courseId })
    expect(progress).toMatchObject({ percent: 50, completed: 1 })
    await refused(student.api.progress.reopen.mutate(examined.ref), 'QUIZ_LESSON')
    expect(await student.api.progress.get.query({ courseId })).toEqual(progress)
  })

  it('is closed to strangers, to those who left, and to the author', async () => {
    const taught = await aCourse(lms)
    const { courseId, owner } = taught
    const ref = lessonOf(taught, 0)
    const [stranger, left] = [await aStudent(lms), await aLearner(lms, taught)]
    await withAccessRevoked(taught, left)
    for (const { api } of [stranger, left, owner]) {
      await refused(api.progress.get.query({ courseId }), 'NOT_ENROLLED')
      await refused(api.progress.complete.mutate(ref), 'NOT_ENROLLED')
      await refused(api.progress.reopen.mutate(ref), 'NOT_ENROLLED')
      await refused(api.progress.position.mutate({ ...ref, seconds: 1 }), 'NOT_ENROLLED')
    }
    const visitor = lms.visitor()
    await refused(visitor.api.progress.get.query({ courseId }), 'UNAUTHENTICATED')
    expect(await lms.db.orm.lesson_progress.where({ courseId }).all()).toEqual([])
  })

  it('knows no lesson of another course, and no draft', async () => {
    const [here, there] = [await aCourse(lms), await aCourse(lms)]
    const { api } = await aLearner(lms, here)
    const mixed = { courseId: here.courseId, lessonId: there.lessonIds[0] ?? '' }
    await refused(api.progress.complete.mutate(mixed), 'NOT_FOUND')
    const draft = await aDraft(lms)
    const courseId = draft.course.id
    await refused(api.progress.get.query({ courseId }), 'NOT_FOUND')
    const lesson = { courseId, lessonId: draft.lessonId }
    await refused(api.progress.complete.mutate(lesson), 'NOT_FOUND')
  })

  it('keeps one mark of twenty completions at once', async () => {
    const taught = await aCourse(lms, { lessons: 1 })
    const { api, user } = await aLearner(lms, taught)
    const marks = Array.from({ length: 20 }, () =>
      api.progress.complete.mutate(lessonOf(taught, 0)),
    )
    for (const { percent } of await Promise.all(marks)) expect(percent).toBe(100)
    expect(await lms.db.orm.lesson_progress.where({ userId: user.id }).all()).toHaveLength(1)
  })
})
