// The one place that decides who sees a course, its lessons and their media. Whoever has no business with a
// thing does not even learn that it exists: NOT_FOUND.
import type { Actor } from '../auth/sessions.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { findCourse, findLesson, type CourseDocument, type Lesson } from './course.ts'
import { isOnSale } from './shelf.ts'

type Grant = {
  readonly until?: Date | null
  readonly revokedAt?: Date | null
}

/** `owner` is true for administrators too: both see all of a course and may change it. */
export type Viewer = { enrolled: boolean; owner: boolean }

/** Access: a grant that is neither revoked nor past its end. */
export function hasLiveGrant(
  enrollment: { readonly grants: readonly Grant[] } | null,
  now: Date,
): boolean {
  return (enrollment?.grants ?? []).some(
    ({ until, revokedAt }) => !revokedAt && (!until || until.getTime() > now.getTime()),
  )
}

/** Whether this is the course's author, still an instructor, or an administrator. */
export function isOwner(course: Pick<CourseDocument, 'ownerId'>, actor: Actor | null): boolean {
  if (!actor) return false
  return actor.role === 'ADMIN' || (actor.role === 'INSTRUCTOR' && actor.id === course.ownerId)
}

/** The course, if this viewer may know of it, and what they are to it. Throws NOT_FOUND. */
export async function requireCourse(
  deps: Uses<'db' | 'now'>,
  actor: Actor | null,
  by: { _id: string } | { slug: string },
): Promise<{ course: CourseDocument; viewer: Viewer }> {
  const course = await findCourse(deps.db, by)
  if (!course) throw new DomainError('NOT_FOUND')
  const owner = isOwner(course, actor)
  const enrolled = await isEnrolled(deps, actor, course._id)
  // What was sold stays readable to those who hold it, whatever becomes of the listing.
  const isHeld = enrolled && Boolean(course.publishedAt)
  if (!isOnSale(course) && !owner && !isHeld) throw new DomainError('NOT_FOUND', { isDenied: true })
  return { course, viewer: { enrolled, owner } }
}

async function isEnrolled(
  { db, now }: Uses<'db' | 'now'>,
  actor: Actor | null,
  courseId: string,
): Promise<boolean> {
  if (!actor) return false
  return hasLiveGrant(await db.orm.enrollments.where({ userId: actor.id, courseId }).first(), now())
}

/**
 * A listed lesson whose content this viewer may have: a preview, or with a live grant, or their own. Throws
 * NOT_FOUND, and where they may know of the course NOT_ENROLLED, or UNAUTHENTICATED for a visitor.
 */
export async function requireLesson(
  deps: Uses<'db' | 'now'>,
  actor: Actor | null,
  { courseId, lessonId }: { courseId: string; lessonId: string },
): Promise<{ course: CourseDocument; lesson: Lesson; viewer: Viewer }> {
  const { course, viewer } = await requireCourse(deps, actor, { _id: courseId })
  const lesson = findLesson(course, lessonId)
  if (!lesson) throw new DomainError('NOT_FOUND')
  if (lesson.preview || viewer.enrolled || viewer.owner) return { course, lesson, viewer }
  throw new DomainError(actor ? 'NOT_ENROLLED' : 'UNAUTHENTICATED')
}

/**
 * The course, for its author or an administrator. Throws FORBIDDEN for a course that everyone can see, and
 * NOT_FOUND for any other.
 */
export async function requireOwnCourse(
  { db }: Uses<'db'>,
  actor: Actor,
  courseId: string,
): Promise<CourseDocument> {
  const course = await findCourse(db, { _id: courseId })
  if (!course) throw new DomainError('NOT_FOUND')
  if (isOwner(course, actor)) return course
  throw new DomainError(isOnSale(course) ? 'FORBIDDEN' : 'NOT_FOUND', { isDenied: true })
}
