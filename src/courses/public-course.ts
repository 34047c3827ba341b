import type {
  CourseDocument,
  CourseLevel,
  CourseStatus,
  Lesson,
  LessonKind,
  Section,
} from './course.ts'
import { lessonsOf } from './outline.ts'
import { isOnSale } from './shelf.ts'

/** A lesson of the outline: never its content, nor where that is. */
export type LessonOutline = {
  id: string
  title: string
  kind: LessonKind
  preview: boolean
  durationSeconds: number | null
}

export type SectionOutline = { id: string; title: string; lessons: LessonOutline[] }

export type Course = {
  id: string
  slug: string
  status: CourseStatus
  /** Published, by somebody who may sell: anyone sees it and can have it. */
  isOnSale: boolean
  title: string
  summary: string
  description: string
  category: string
  level: CourseLevel
  language: string
  pricePaise: number
  currency: string
  tags: string[]
  imageUrl: string | null
  refundDays: number
  refundMaxPercent: number
  gstPercent: number | null
  ratingAverage: number | null
  ratingCount: number
  lessonCount: number
  durationSeconds: number
  sections: SectionOutline[]
  publishedAt: Date | null
  createdAt: Date
  updatedAt: Date
}

/** A course as anyone who may know of it sees it. */
export function publicCourse(course: CourseDocument): Course {
  const lessons = lessonsOf(course.sections)
  return {
    id: course._id,
    slug: course.slug,
    status: course.status,
    isOnSale: isOnSale(course),
    title: course.title,
    summary: course.summary,
    description: course.description,
    category: course.category,
    level: course.level,
    language: course.language,
    pricePaise: course.pricePaise,
    currency: course.currency,
    tags: [...course.tags],
    imageUrl: course.imageUrl ?? null,
    refundDays: course.refundDays,
    refundMaxPercent: course.refundMaxPercent,
    gstPercent: course.gstPercent ?? null,
    ratingAverage: ratingAverage(course),
    ratingCount: course.ratingCount,
    lessonCount: lessons.length,
    durationSeconds: lessons.reduce((sum, lesson) => sum + (lesson.durationSeconds ?? 0), 0),
    sections: course.sections.map(sectionOutline),
    publishedAt: course.publishedAt ?? null,
    createdAt: course.createdAt,
    updatedAt: course.updatedAt,
  }
}

/** A section with the outlines of its lessons. */
export function sectionOutline({ id, title, lessons }: Section): SectionOutline {
  return { id, title, lessons: lessons.map(lessonOutline) }
}

/** A lesson without its content. */
export function lessonOutline(lesson: Lesson): LessonOutline {
  const { id, title, kind, preview, durationSeconds } = lesson
  return { id, title, kind, preview, durationSeconds }
}

/** ratingSum / ratingCount with one decimal, as it is shown; null before the first review. */
export function ratingAverage(of: { ratingSum: number; ratingCount: number }): number | null {
  return of.ratingCount === 0 ? null : Math.round((of.ratingSum / of.ratingCount) * 10) / 10
}
