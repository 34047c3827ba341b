import type { Uses } from '../deps.ts'
import type { Issue } from '../errors.ts'
import { findContents, findLessonTexts } from './contents.ts'
import type { CourseDocument } from './course.ts'
import { lessonOutline, publicCourse, type Course, type LessonOutline } from './public-course.ts'
import { findAuthoredQuizzes, type AuthoredQuiz } from './quiz.ts'
import { publishingIssuesOf } from './readiness.ts'

export type AuthoredLesson = LessonOutline & {
  mediaId: string | null
  body: string | null
  quiz: AuthoredQuiz | null
}

export type AuthoredCourse = Omit<Course, 'sections'> & {
  version: number
  imageMediaId: string | null
  sections: { id: string; title: string; lessons: AuthoredLesson[] }[]
  /** What still keeps it from being published. */
  missing: Issue[]
}

/** All of a course, as its author works on it, with the right answers and what is missing. */
export async function getAuthoredCourse(
  deps: Uses<'db'>,
  course: CourseDocument,
): Promise<AuthoredCourse> {
  const [contents, texts, quizzes] = await Promise.all([
    findContents(deps, course._id),
    findLessonTexts(deps, course._id),
    findAuthoredQuizzes(deps, course._id),
  ])
  const sections = course.sections.map(({ id, title, lessons }) => ({
    id,
    title,
    lessons: lessons.map((lesson) => ({
      ...lessonOutline(lesson),
      mediaId: lesson.mediaId,
      body: texts.get(lesson.id) ?? null,
      quiz: quizzes.get(lesson.id) ?? null,
    })),
  }))
  return {
    ...publicCourse(course),
    version: course.version,
    imageMediaId: course.imageMediaId ?? null,
    sections,
    missing: publishingIssuesOf(course, contents),
  }
}
