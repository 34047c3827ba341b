import { z } from 'zod'
import type { Actor } from '../../auth/sessions.ts'
import { requireCourse, requireLesson, type Viewer } from '../../courses/access.ts'
import type { CourseDocument, Lesson } from '../../courses/course.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import { exactly, Id } from '../../fields.ts'

export const CourseRef = z.object({ courseId: Id })
export type CourseRef = z.infer<typeof CourseRef>

export const LessonRef = z.object({ courseId: Id, lessonId: exactly(1, 64) })
export type LessonRef = z.infer<typeof LessonRef>

/**
 * The course, for those who hold a live grant: authors and administrators do not learn, they only look.
 * Throws NOT_FOUND (they may not know of it) or NOT_ENROLLED.
 */
export async function requireEnrolledCourse(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  { courseId }: CourseRef,
): Promise<CourseDocument> {
  const { course, viewer } = await requireCourse(deps, actor, { _id: courseId })
  if (!viewer.enrolled) throw new DomainError('NOT_ENROLLED')
  return course
}

/**
 * A lesson this student may work on: anyone can open a preview, but nothing is recorded without a live grant.
 * Throws NOT_FOUND or NOT_ENROLLED.
 */
export async function requireEnrolledLesson(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: LessonRef,
): Promise<{ course: CourseDocument; lesson: Lesson; viewer: Viewer }> {
  const found = await requireLesson(deps, actor, ref)
  if (!found.viewer.enrolled) throw new DomainError('NOT_ENROLLED')
  return found
}
