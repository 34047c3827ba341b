import type { Uses } from '../deps.ts'
import type { Issue } from '../errors.ts'
import { Id } from '../fields.ts'
import { z } from 'zod'
import { findContents, findLessonTexts } from './contents.ts'
import { contentBytesOf, withBytesKnown } from './course-size.ts'
import type { CourseDocument, Lesson } from './course.ts'
import { lessonsOf, requireLessonIn } from './outline.ts'
import { lessonOutline, publicCourse, type Course, type LessonOutline } from './public-course.ts'
import { findAuthoredQuizzes, type AuthoredQuiz } from './quiz.ts'
import { publishingIssuesOf } from './readiness.ts'

export const AuthoredLessonRef = z.object({ lessonId: Id })
export type AuthoredLessonRef = z.infer<typeof AuthoredLessonRef>

export type AuthoredLesson = LessonOutline & {
  mediaId: string | null
  body: string | null
  quiz: AuthoredQuiz | null
}

export type AuthoredCourse = Omit<Course, 'sections'> & {
  version: number
  imageMediaId: string | null
  sections: { id: string; title: string; lessons: AuthoredLesson[] }[]
  /**
   * Whether `body` and `quiz` of every lesson are null here, since the course holds more than fits into one
   * answer: each lesson's are read by `courses.authoredLesson`.
   */
  contentsOmitted: boolean
  /** What still keeps it from being published. */
  missing: Issue[]
}

// A course of a usual size is read at once; a large one lesson by lesson.
const MOST_CONTENT_BYTES = 1024 * 1024

/** All of a course, as its author works on it, with the right answers and what is missing. */
export async function getAuthoredCourse(
  deps: Uses<'db'>,
  course: CourseDocument,
): Promise<AuthoredCourse> {
  const measured = await withBytesKnown(deps, course.sections)
  const contentsOmitted = contentBytesOf(measured) > MOST_CONTENT_BYTES
  const lessonIds = contentsOmitted ? [] : lessonsOf(measured).map(({ id }) => id)
  const [contents, authored] = await Promise.all([
    findContents(deps, course._id),
    authoredLessons(deps, lessonIds),
  ])
  const sections = course.sections.map(({ id, title, lessons }) => ({
    id,
    title,
    lessons: lessons.map(authored),
  }))
  return {
    ...publicCourse(course),
    version: course.version,
    imageMediaId: course.imageMediaId ?? null,
    sections,
    contentsOmitted,
    missing: publishingIssuesOf(course, contents),
  }
}

/** One lesson with its text, or its quiz with the right answers. Throws NOT_FOUND. */
export async function getAuthoredLesson(
  deps: Uses<'db'>,
  course: CourseDocument,
  { lessonId }: AuthoredLessonRef,
): Promise<AuthoredLesson> {
  const lesson = requireLessonIn(course.sections, lessonId)
  const authored = await authoredLessons(deps, [lessonId])
  return authored(lesson)
}

async function authoredLessons(
  deps: Uses<'db'>,
  lessonIds: string[],
): Promise<(lesson: Lesson) => AuthoredLesson> {
  const [texts, quizzes] = await Promise.all([
    findLessonTexts(deps, lessonIds),
    findAuthoredQuizzes(deps, lessonIds),
  ])
  return (lesson) => ({
    ...lessonOutline(lesson),
    mediaId: lesson.mediaId,
    body: texts.get(lesson.id) ?? null,
    quiz: quizzes.get(lesson.id) ?? null,
  })
}
