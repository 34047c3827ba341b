import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import type { Actor } from '../../auth/sessions.ts'
import { requireCourse } from '../../courses/access.ts'
import { courseFrom, type CourseDocument, type CourseStatus } from '../../courses/course.ts'
import { isOnSale, maySell } from '../../courses/shelf.ts'
import { oid } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import type { Page, PageOf } from '../../fields.ts'
import { readPage } from '../../paging.ts'
import { findCompletedLessons, summarizeCompletion } from '../progress/completion.ts'
import { enrollmentOf, type Enrollment } from './enrollment.ts'
import { addGrant, findGrants, type EnrollmentKey } from './grants.ts'
import type { CourseRef } from './require-enrolled.ts'

export type EnrolledCourse = Enrollment & {
  percent: number
  course: {
    slug: string
    title: string
    summary: string
    imageUrl: string | null
    status: CourseStatus
  }
}

/**
 * A page of one's own enrollments, newest first, with the percentage of completed lessons; those whose access
 * has ended are included and marked so. Throws INVALID_INPUT (the cursor).
 */
export async function listMyEnrollments(
  { db, now }: Uses<'db' | 'now'>,
  actor: Actor,
  page: Page,
): Promise<PageOf<EnrolledCourse>> {
  const mine = db.orm.enrollments.where({ userId: actor.id })
  const { items, nextCursor } = await readPage(mine, page)
  const courseIds = items.map(({ courseId }) => courseId)
  const [courses, completedBy] = await Promise.all([
    findCourses({ db }, courseIds),
    findCompletedLessons({ db }, { userIds: [actor.id], courseIds }),
  ])
  return {
    nextCursor,
    items: items.flatMap((row) => {
      const course = courses.get(row.courseId)
      if (!course) return []
      const { percent } = summarizeCompletion(course, completedBy(actor.id, course._id))
      return [{ ...enrollmentOf(row, now()), percent, course: outlineOf(course) }]
    }),
  }
}

async function findCourses(
  { db }: Uses<'db'>,
  ids: string[],
): Promise<Map<string, CourseDocument>> {
  if (ids.length === 0) return new Map()
  const rows = await db.orm.courses
    .where(MongoFieldFilter.in('_id', ids.map(oid)))
    .select('_id', 'slug', 'title', 'summary', 'imageUrl', 'status', 'sections')
    .all()
  return new Map(rows.map((row) => [row._id, courseFrom(row)]))
}

function outlineOf(course: CourseDocument): EnrolledCourse['course'] {
  const { slug, title, summary, imageUrl, status } = course
  return { slug, title, summary, imageUrl: imageUrl ?? null, status }
}

/**
 * Enrols in a free course; again, it answers the same. Throws NOT_FOUND (no such course, or it is not
 * on sale), OWN_COURSE, NOT_FREE, and ACCESS_ENDED: access that was revoked is not had back this way.
 */
export async function enrollForFree(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  { courseId }: CourseRef,
): Promise<Enrollment> {
  const { course } = await requireCourse(deps, actor, { _id: courseId })
  if (course.ownerId === actor.id) throw new DomainError('OWN_COURSE')
  if (!isOnSale(course) || !(await maySell(deps.db, [course.ownerId])))
    throw new DomainError('NOT_FOUND')
  if (course.pricePaise > 0) throw new DomainError('NOT_FREE')
  await admitForFree(deps, { userId: actor.id, courseId })
  const enrollment = await requireEnrollment(deps, { userId: actor.id, courseId })
  if (!enrollment.isActive) throw new DomainError('ACCESS_ENDED')
  return enrollment
}

/** Of many at once all make the same key, and so one grant; who is barred gets none. */
async function admitForFree(deps: Uses<'db' | 'now'>, whose: EnrollmentKey): Promise<void> {
  const grants = await findGrants(deps, whose)
  if (grants.some(({ key, revokedAt }) => key.startsWith(FREE_KEY) && !revokedAt)) return
  const earlier = grants.filter(({ key }) => key.startsWith(FREE_KEY)).length
  const key = earlier === 0 ? FREE_KEY : `${FREE_KEY}:${earlier + 1}`
  await addGrant(deps, { ...whose, grant: { key, kind: 'FREE' } })
}

const FREE_KEY = 'free'

async function requireEnrollment(
  { db, now }: Uses<'db' | 'now'>,
  of: { userId: string; courseId: string },
): Promise<Enrollment> {
  const row = await db.orm.enrollments.where(of).first()
  if (!row) throw new DomainError('NOT_FOUND')
  return enrollmentOf(row, now())
}
