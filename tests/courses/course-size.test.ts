import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { MAX_CONTENT_BYTES, MAX_OUTLINE_BYTES } from '../../src/courses/course-size.ts'
import { aDraft, type Written } from '../support/builders/courses.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const courseOf = async ({ course }: Written) => {
  const found = await lms.db.orm.courses.where({ _id: course.id }).first()
  if (!found) throw new Error('there is a course')
  return found
}

/** Says of the draft's first lesson that it has so many bytes. */
async function hold(written: Written, bytes: number | null): Promise<void> {
  await lms.db.driver
    .collection('courses')
    .updateOne(
      { _id: new ObjectId(written.course.id) },
      { $set: { 'sections.0.lessons.0.bytes': bytes } },
    )
}

const KB = 1024
const add = ({ owner, course, sectionId }: Written, body: string) =>
  owner.api.courses.addLesson.mutate({
    courseId: course.id,
    sectionId,
    title: 'One more',
    kind: 'TEXT',
    body,
  })

const letters = (count: number) => 'x'.repeat(count)

describe('what a course holds', () => {
  it('is counted in bytes as it is stored, of texts and of quizzes', async () => {
    const written = await aDraft(lms)
    const { owner, course, sectionId } = written
    const { id } = await add(written, 'क'.repeat(1_000))
    const quiz = { courseId: course.id, sectionId, title: 'Quiz', kind: 'QUIZ' as const }
    const { id: lessonId } = await owner.api.courses.addLesson.mutate(quiz)
    const question = { kind: 'TEXT' as const, prompt: letters(500), answers: ['Yes'] }
    await owner.api.courses.setQuiz.mutate({
      courseId: course.id,
      lessonId,
      questions: [question],
    })
    const [section] = (await courseOf(written)).sections
    const bytes = new Map(section?.lessons.map((lesson) => [lesson.id, lesson.bytes]))
    expect(bytes.get(id)).toBe(3_000)
    expect(bytes.get(lessonId)).toBeGreaterThan(500)
    await owner.api.courses.updateLesson.mutate({
      courseId: course.id,
      lessonId: id,
      body: 'short',
    })
    expect((await courseOf(written)).sections[0]?.lessons[1]?.bytes).toBe(5)
  })

  it('is bounded: what would be too much is refused and stored nowhere', async () => {
    const written = await aDraft(lms)
    const { owner, course, lessonId } = written
    await hold(written, MAX_CONTENT_BYTES - 10 * KB)
    await add(written, letters(9 * KB))
    await refused(add(written, letters(9 * KB)), 'INVALID_INPUT')
    const texts = await lms.db.orm.lesson_texts.where({ courseId: course.id }).all()
    expect(texts).toHaveLength(2)
    // What makes room is always allowed.
    await owner.api.courses.updateLesson.mutate({ courseId: course.id, lessonId, body: 'short' })
    await add(written, letters(9 * KB))
  })

  it('is decided in the write: of ten that fit one by one only those that fit together pass', async () => {
    const written = await aDraft(lms)
    await hold(written, MAX_CONTENT_BYTES - 35 * KB)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, () => add(written, letters(10 * KB))),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    const { sections } = await courseOf(written)
    const bytes = sections.flatMap(({ lessons }) => lessons.map((lesson) => lesson.bytes ?? 0))
    expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(MAX_CONTENT_BYTES)
    const texts = await lms.db.orm.lesson_texts.where({ courseId: written.course.id }).all()
    expect(texts).toHaveLength(4)
  })

  it('is what was counted, whichever of several edits of one lesson is stored last', async () => {
    const written = await aDraft(lms)
    const { owner, course, lessonId } = written
    for (let round = 0; round < 5; round += 1) {
      const sizes = [1, 2_000, 40_000, 300, 9].map((size) => size + round)
      await Promise.all(
        sizes.map((size) =>
          owner.api.courses.updateLesson.mutate({
            courseId: course.id,
            lessonId,
            body: letters(size),
          }),
        ),
      )
      const text = await lms.db.orm.lesson_texts.where({ lessonId }).first()
      const [lesson] = (await courseOf(written)).sections[0]?.lessons ?? []
      expect(text?.body.length).toBe(lesson?.bytes)
    }
  })

  it('is measured where it was written before anybody counted', async () => {
    const written = await aDraft(lms)
    const { lessonId, course } = written
    await lms.db.orm.lesson_texts.where({ lessonId }).update({ body: letters(70_000) })
    await lms.db.driver
      .collection('courses')
      .updateOne({ _id: new ObjectId(course.id) }, { $unset: { 'sections.0.lessons.0.bytes': 1 } })
    await add(written, 'short')
    expect((await courseOf(written)).sections[0]?.lessons[0]?.bytes).toBeGreaterThan(70_000)
  })

  it('has an outline that is bounded as well', async () => {
    const written = await aDraft(lms)
    const { owner, course, sectionId } = written
    const title = 'क'.repeat(120)
    const lessons = Array.from({ length: 780 }, () => ({
      id: new ObjectId().toHexString(),
      title,
      kind: 'TEXT',
      preview: false,
      bytes: 0,
    }))
    await lms.db.driver
      .collection('courses')
      .updateOne({ _id: new ObjectId(course.id) }, { $set: { 'sections.0.lessons': lessons } })
    const titled = { courseId: course.id, sectionId, title, kind: 'TEXT' as const }
    const addTitled = () => owner.api.courses.addLesson.mutate(titled)
    let added = 0
    while (added < 100 && (await addTitled().catch(() => null))) added += 1
    expect(added).toBeGreaterThan(0)
    await refused(addTitled(), 'INVALID_INPUT')
    const { sections } = await courseOf(written)
    expect(Buffer.byteLength(JSON.stringify(sections))).toBeLessThanOrEqual(MAX_OUTLINE_BYTES)
    // What makes it smaller is always allowed.
    const [first] = lessons
    await owner.api.courses.removeLesson.mutate({ courseId: course.id, lessonId: first?.id ?? '' })
    await addTitled()
  })
})

describe('a quiz', () => {
  it('is bounded in bytes, each question and all together', async () => {
    const { owner, course, sectionId } = await aDraft(lms)
    const question = (letter: string, prompt = 2_000) => ({
      kind: 'TEXT' as const,
      prompt: letter.repeat(prompt),
      answers: Array.from({ length: 20 }, (_, n) => `${n}${letter.repeat(190)}`),
      explanation: letter.repeat(2_000),
    })
    const lesson = { courseId: course.id, sectionId, title: 'Quiz', kind: 'QUIZ' as const }
    const addQuiz = (questions: ReturnType<typeof question>[]) =>
      owner.api.courses.addLesson.mutate({ ...lesson, quiz: { questions } })
    await addQuiz([question('x')])
    await refused(addQuiz([question('क')]), 'INVALID_INPUT')
    await addQuiz(Array.from({ length: 20 }, () => question('x')))
    await refused(addQuiz(Array.from({ length: 30 }, () => question('x'))), 'INVALID_INPUT')
  })
})
