import type { Db, Stored } from '../db.ts'

export type CourseStatus = 'DRAFT' | 'PUBLISHED' | 'ARCHIVED'
export type CourseLevel = 'BEGINNER' | 'INTERMEDIATE' | 'ADVANCED'
export type LessonKind = 'VIDEO' | 'TEXT' | 'FILE' | 'QUIZ'

export type Lesson = {
  id: string
  title: string
  kind: LessonKind
  preview: boolean
  mediaId: string | null
  durationSeconds: number | null
  addedAt: Date | null
}

export type Section = { id: string; title: string; lessons: Lesson[] }

type CourseRow = Stored<'courses'>

/** A course as it is stored: for the server's own use, never an answer. */
export type CourseDocument = Omit<CourseRow, 'sections'> & { sections: Section[] }

/** A course by its id or its address, whoever asks: `requireCourse` decides who may know of it. */
export async function findCourse(
  db: Db,
  by: { _id: string } | { slug: string },
): Promise<CourseDocument | null> {
  const row = await db.orm.courses.where(by).first()
  return row && courseFrom(row)
}

/** What is nested in a document reads back undecoded: absent instead of null, enums as plain strings. */
export function courseFrom(row: CourseRow): CourseDocument {
  const sections = row.sections.map(({ id, title, lessons }) => ({
    id,
    title,
    lessons: lessons.map((lesson) => ({
      id: lesson.id,
      title: lesson.title,
      kind: lesson.kind as LessonKind,
      preview: lesson.preview,
      mediaId: lesson.mediaId ?? null,
      durationSeconds: lesson.durationSeconds ?? null,
      addedAt: lesson.addedAt ?? null,
    })),
  }))
  return { ...row, sections }
}

/** A lesson that is listed in the course. */
export function findLesson(course: CourseDocument, lessonId: string): Lesson | undefined {
  return course.sections
    .flatMap((section) => section.lessons)
    .find((lesson) => lesson.id === lessonId)
}
