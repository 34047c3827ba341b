import { z } from 'zod'
import { audit, type Audited } from '../../audit.ts'
import { searching } from '../../auth/attempt-limits.ts'
import type { Actor } from '../../auth/sessions.ts'
import { findUser } from '../../auth/user.ts'
import { requireOwnCourse } from '../../courses/access.ts'
import type { CourseDocument } from '../../courses/course.ts'
import type { Uses } from '../../deps.ts'
import { DomainError, refuseInput } from '../../errors.ts'
import { Email, Id, line } from '../../fields.ts'
import { accessEndOf, liveGrants } from './enrollment.ts'
import { addGrant, findGrants, extendGrant, revokeGrant } from './grants.ts'
import { rosterOf, type RosterEntry } from './roster.ts'

// A misspelt field must not be dropped: without its end, an access would have none.
export const AccessGrant = z
  .strictObject({
    courseId: Id,
    userId: Id.optional(),
    email: Email.optional(),
    /** When the access ends; without it, it does not. */
    until: z.date().optional(),
    reason: line(1, 200).optional(),
  })
  .refine(({ userId, email }) => (userId === undefined) !== (email === undefined), {
    path: ['userId'],
    error: 'name one person, by userId or by email',
  })
export type AccessGrant = z.infer<typeof AccessGrant>

export const AccessRevocation = z.object({
  courseId: Id,
  userId: Id,
  reason: line(1, 200).default('access ended'),
})
export type AccessRevocation = z.infer<typeof AccessRevocation>

/** Lets someone into a course without payment, or for longer. */
export async function grantAccess(
  deps: Audited,
  actor: Actor,
  { courseId, userId, email, until, reason }: AccessGrant,
): Promise<RosterEntry> {
  const course = await requireOwnCourse(deps, actor, courseId)
  if (!course.publishedAt) refuseInput('courseId', 'was never published')
  if (until && until <= deps.now()) refuseInput('until', 'is in the past')
  const student =
    email === undefined
      ? await findUser(deps.db, { _id: userId ?? '' })
      : await searching(deps, actor.id, () => findUser(deps.db, { email }))
  if (!student) throw new DomainError('NOT_FOUND')
  if (student._id === course.ownerId) throw new DomainError('OWN_COURSE')
  const wanted = { userId: student._id, courseId, until: until ?? null, reason: reason ?? null }
  if (await grantOrExtend(deps, wanted)) {
    await audit(deps, {
      actor,
      act: 'enrollments.granted',
      target: `course:${courseId}`,
      after: { userId: student._id, until: until?.toISOString() ?? null, reason: reason ?? null },
    })
  }
  return requireRosterEntry(deps, { actor, course, userId: student._id })
}

type Wanted = { userId: string; courseId: string; until: Date | null; reason: string | null }

/** False when what was given before reaches as far. Who acts at the same moment looks again. */
async function grantOrExtend(
  deps: Uses<'db' | 'now'>,
  { until, reason, ...whose }: Wanted,
): Promise<boolean> {
  for (;;) {
    const given = (await findGrants(deps, whose)).filter(({ kind }) => kind === 'ADMIN')
    const live = liveGrants(given, deps.now())
    const end = accessEndOf(live)
    if (live.length > 0 && (end === null || (until !== null && until <= end))) return false
    const [last] = live
    const key = `admin:${given.length + 1}`
    const isDone = last
      ? await extendGrant(deps, { ...whose, key: last.key, from: last.until, until, reason })
      : await addGrant(deps, {
          ...whose,
          grant: { key, kind: 'ADMIN', until, ...(reason !== null && { reason }) },
        })
    if (isDone) return true
  }
}

/** Ends the access that was given; what was paid for ends by a refund, which gives the money back. */
export async function revokeAccess(
  deps: Audited,
  actor: Actor,
  { courseId, userId, reason }: AccessRevocation,
): Promise<RosterEntry> {
  const course = await requireOwnCourse(deps, actor, courseId)
  const whose = { userId, courseId }
  const live = liveGrants(await findGrants(deps, whose), deps.now())
  const given = live.filter(({ kind }) => kind !== 'PAID')
  if (live.length > 0 && given.length === 0) throw new DomainError('PAID_ACCESS')
  for (const { key } of given) {
    if (!(await revokeGrant(deps, { ...whose, key, reason }))) continue
    await audit(deps, {
      actor,
      act: 'enrollments.revoked',
      target: `course:${courseId}`,
      after: { userId, grant: key, reason },
    })
  }
  return requireRosterEntry(deps, { actor, course, userId })
}

type Who = { actor: Actor; course: CourseDocument; userId: string }

async function requireRosterEntry(
  deps: Uses<'db' | 'now'>,
  { actor, course, userId }: Who,
): Promise<RosterEntry> {
  const row = await deps.db.orm.enrollments.where({ userId, courseId: course._id }).first()
  if (!row) throw new DomainError('NOT_FOUND')
  const [entry] = await rosterOf(deps, { actor, course, rows: [row] })
  if (!entry) throw new DomainError('NOT_FOUND')
  return entry
}
