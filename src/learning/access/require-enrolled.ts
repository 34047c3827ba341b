import { z } from 'zod'
import type { Actor } from '../../auth/sessions.ts'
import { requireCourse, requireLesson } from '../../courses/access.ts'
import type { CourseDocument, Lesson } from '../../courses/course.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import { Id } from '../../fields.ts'

export const CourseRef = z.object({ courseId: Id })
export type CourseRef = z.infer<typeof CourseRef>

export const LessonRef = z.object({ courseId: Id, lessonId: z.string().min(1).max(64) })
export type LessonRef = z.infer<typeof LessonRef>

/** The course, for those who hold a live grant: owners and administrators do not learn, they only look. */
export async function requireEnrolled(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  { courseId }: CourseRef,
): Promise<CourseDocument> {
  const { course, viewer } = await requireCourse(deps, actor, { _id: courseId })
  if (!viewer.enrolled) throw new DomainError('NOT_ENROLLED')
  return course
}

/** A lesson this user may work on: a preview can be opened by anyone, but leaves no marks without a grant. */
export async function requireEnrolledLesson(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  ref: LessonRef,
): Promise<{ course: CourseDocument; lesson: Lesson }> {
  const { course, lesson, viewer } = await requireLesson(deps, actor, ref)
  if (!viewer.enrolled) throw new DomainError('NOT_ENROLLED')
  return { course, lesson }
}
