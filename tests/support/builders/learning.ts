import type { AuthoredQuiz } from '../../../src/courses/quiz.ts'
import type { Attempt } from '../../../src/learning/quizzes/attempt.ts'
import type { Lms } from '../harness.ts'
import { mp4 } from '../media-files.ts'
import { aDraft, withImage, type Written } from './courses.ts'
import { aVerified } from './auth.ts'
import { aSale } from './orders.ts'
import type { Person } from './people.ts'

type Wish = { lessons?: number; pricePaise?: number }

export type Taught = Written & { courseId: string; lessonIds: string[] }

/** On sale, with so many text lessons. */
export async function aCourse(lms: Lms, { lessons = 3, pricePaise }: Wish = {}): Promise<Taught> {
  const wish = pricePaise === undefined ? {} : { pricePaise }
  const written = await withImage(lms, await aDraft(lms, wish))
  const { owner, course, sectionId } = written
  const lessonIds = [written.lessonId]
  while (lessonIds.length < lessons) {
    const { id } = await owner.api.courses.addLesson.mutate({
      courseId: course.id,
      sectionId,
      title: `Lesson ${lessonIds.length + 1}`,
      kind: 'TEXT',
      body: '<p>More.</p>',
    })
    lessonIds.push(id)
  }
  const published = await owner.api.courses.publish.mutate({ id: course.id })
  return { ...written, course: published, courseId: course.id, lessonIds }
}

/** A student of a proven address whom the teacher let into the course. */
export async function aLearner(lms: Lms, taught: Written, name?: string): Promise<Person> {
  const student = await aVerified(lms, name)
  const admission = { courseId: taught.course.id, userId: student.user.id }
  // A test may have moved the clock past the owner's sign-in.
  const { api, password } = taught.owner
  await api.auth.confirmPassword.mutate({ password })
  await api.enrollments.grant.mutate(admission)
  return student
}

/** A student of a proven address who has bought the course, and done its first lesson. */
export async function aPayingLearner(lms: Lms, taught: Taught, name?: string): Promise<Person> {
  const buyer = await aVerified(lms, name)
  const { courseId, lessonIds } = taught
  await aSale(lms, { buyer, courseIds: [courseId] })
  await buyer.api.progress.complete.mutate({ courseId, lessonId: lessonIds[0] ?? '' })
  return buyer
}

/** Ends whatever access the teacher gave. */
export async function withAccessRevoked(taught: Written, student: Person): Promise<void> {
  await taught.owner.api.enrollments.revoke.mutate({
    courseId: taught.course.id,
    userId: student.user.id,
    reason: 'Left the class',
  })
}

type QuizWish = { maxAttempts?: number; timeLimitSeconds?: number; passPercent?: number }

export type Examined = Taught & { quizId: string; quiz: AuthoredQuiz; ref: LessonOf }
type LessonOf = { courseId: string; lessonId: string }

/** On sale, with one text lesson and a quiz of three questions, one of each kind. */
export async function aQuizCourse(lms: Lms, wish: QuizWish = {}): Promise<Examined> {
  const taught = await aCourse(lms, { lessons: 1 })
  const { owner, courseId, sectionId } = taught
  const { id: quizId } = await owner.api.courses.addLesson.mutate({
    courseId,
    sectionId,
    title: 'What did you learn?',
    kind: 'QUIZ',
  })
  const quiz = await owner.api.courses.setQuiz.mutate({
    courseId,
    lessonId: quizId,
    ...wish,
    questions: [
      {
        kind: 'SINGLE',
        prompt: 'How many owners has a value?',
        points: 2,
        options: [{ text: 'One', correct: true }, { text: 'Two' }],
        explanation: 'Each value has one owner.',
      },
      {
        kind: 'MULTIPLE',
        prompt: 'Which are references?',
        points: 3,
        options: [{ text: '&T', correct: true }, { text: '&mut T', correct: true }, { text: 'T' }],
      },
      { kind: 'TEXT', prompt: 'What frees a value?', answers: ['drop', 'going out of scope'] },
    ],
  })
  return { ...taught, quizId, quiz, ref: { courseId, lessonId: quizId } }
}

/** The right answers to an attempt's questions. */
export function rightAnswers({ quiz }: Examined, attempt: Attempt) {
  return attempt.questions.map(({ id }) => {
    const question = quiz.questions.find((one) => one.id === id)
    return { questionId: id, optionIds: question?.optionIds ?? [], text: question?.texts[0] ?? '' }
  })
}

/** Starts the quiz and passes it. */
export async function passed(examined: Examined, { api }: Person): Promise<Attempt> {
  const attempt = await api.quizzes.start.mutate(examined.ref)
  const answers = rightAnswers(examined, attempt)
  return api.quizzes.submit.mutate({ attemptId: attempt.id, answers })
}

export type Filmed = Taught & { videoId: string; fileId: string; trailerId: string }

export const VIDEO = mp4(90, 20_000)
export const HANDOUT = Buffer.from('%PDF-1.7\n1 0 obj\n<< >>\nendobj\ntrailer\n<< >>\n%%EOF\n')

/** On sale, with a text lesson, an uploaded video, an uploaded file, and the video again as a preview. */
export async function aFilmedCourse(lms: Lms): Promise<Filmed> {
  const taught = await aCourse(lms, { lessons: 1 })
  const { owner, courseId, sectionId } = taught
  const video = await uploaded(owner, { purpose: 'lesson-video', courseId, content: VIDEO })
  const file = await uploaded(owner, { purpose: 'lesson-file', courseId, content: HANDOUT })
  const add = (lesson: { kind: 'VIDEO' | 'FILE'; mediaId: string; preview?: boolean }) =>
    owner.api.courses.addLesson.mutate({ courseId, sectionId, title: 'Watch', ...lesson })
  const { id: videoId } = await add({ kind: 'VIDEO', mediaId: video })
  const { id: fileId } = await add({ kind: 'FILE', mediaId: file })
  const { id: trailerId } = await add({ kind: 'VIDEO', mediaId: video, preview: true })
  return { ...taught, videoId, fileId, trailerId }
}

type Upload = { purpose: string; courseId: string; content: Buffer }

async function uploaded(owner: Person, { purpose, courseId, content }: Upload): Promise<string> {
  const body = new FormData()
  body.set('file', new Blob([new Uint8Array(content)]), 'whatever')
  const answer = await owner.fetch(`/uploads/${purpose}?courseId=${courseId}`, {
    method: 'POST',
    body,
  })
  if (answer.status !== 201) throw new Error(await answer.text())
  const { mediaId } = (await answer.json()) as { mediaId: string }
  return mediaId
}
