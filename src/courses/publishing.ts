import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { findContents } from './contents.ts'
import type { CourseDocument } from './course.ts'
import { editCourse } from './edit.ts'
import { publicCourse, type Course } from './public-course.ts'
import { publishingIssuesOf } from './readiness.ts'

/**
 * Puts a complete course on sale. The first time decides its place among the newest, once. Throws
 * COURSE_NOT_READY with everything that is missing, or CHANGED_MEANWHILE.
 */
export async function publishCourse(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
): Promise<Course> {
  const published = await editCourse(deps, course, async (current) => {
    const issues = publishingIssuesOf(current, await findContents(deps, current._id))
    if (issues.length > 0) throw new DomainError('COURSE_NOT_READY', { issues })
    return { status: 'PUBLISHED', publishedAt: current.publishedAt ?? deps.now() }
  })
  return publicCourse(published)
}

/**
 * Back to a draft: no longer on sale, and still open to students with a live grant. Throws CHANGED_MEANWHILE.
 */
export async function unpublishCourse(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
): Promise<Course> {
  return publicCourse(await editCourse(deps, course, () => ({ status: 'DRAFT' })))
}

/** No longer on sale, and meant to stay so; students with a live grant keep it. Throws CHANGED_MEANWHILE. */
export async function archiveCourse(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
): Promise<Course> {
  return publicCourse(await editCourse(deps, course, () => ({ status: 'ARCHIVED' })))
}
