import { z } from 'zod'
import { audit, type Audited } from '../../audit.ts'
import { limitSearches } from '../../auth/attempt-limits.ts'
import type { Actor } from '../../auth/sessions.ts'
import { requireRecentPassword } from '../../auth/step-up.ts'
import { findByProvenAddress } from '../../auth/unproven.ts'
import { findUser } from '../../auth/user.ts'
import type { CourseDocument } from '../../courses/course.ts'
import type { Uses } from '../../deps.ts'
import { DomainError, refuseInput } from '../../errors.ts'
import { Email, Id, line } from '../../fields.ts'
import { accessEndOf, liveGrants } from './enrollment.ts'
import { endGivenAccess, extendGrant } from './grant-changes.ts'
import { addGrant, findGrants } from './grants.ts'
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

/**
 * Grants a student access to one's own course without payment, or for longer: never for less than was granted
 * before. What really changes is put into the audit log.
 *
 * Throws PASSWORD_NEEDED (where the course costs anything), INVALID_INPUT (the course was never published, or the end is in the past), NOT_FOUND (nobody of this
 * id, or who has proved this e-mail address), OWN_COURSE (it is the author's), and TOO_MANY_REQUESTS for too many addresses tried.
 */
export async function grantAccess(
  deps: Audited,
  actor: Actor,
  { course, userId, email, until, reason }: AccessGrant & { course: CourseDocument },
): Promise<RosterEntry> {
  if (course.pricePaise > 0) requireRecentPassword(deps, actor)
  const courseId = course._id
  if (!course.publishedAt) refuseInput('courseId', 'was never published')
  if (until && until <= deps.now()) refuseInput('until', 'is in the past')
  const student =
    email === undefined
      ? await findUser(deps.db, { _id: userId ?? '' })
      : await limitSearches(deps, actor.id, () => findByProvenAddress(deps, email))
  if (!student) throw new DomainError('NOT_FOUND')
  if (student._id === course.ownerId) throw new DomainError('OWN_COURSE')
  const granted = { userId: student._id, courseId, until: until ?? null, reason: reason ?? null }
  if (await grantOrExtend(deps, granted)) {
    await audit(deps, {
      actor,
      act: 'enrollments.granted',
      target: `course:${courseId}`,
      after: { userId: student._id, until: until?.toISOString() ?? null, reason: reason ?? null },
    })
  }
  return requireRosterEntry(deps, { actor, course, userId: student._id })
}

type Granted = { userId: string; courseId: string; until: Date | null; reason: string | null }

/**
 * False when an earlier grant of this kind reaches as far: `end ≥ until`, where no end is the farthest. Of
 * two who grant at the same moment one write fails, and whoever made it looks again.
 */
async function grantOrExtend(
  deps: Uses<'db' | 'now'>,
  { until, reason, ...enrollment }: Granted,
): Promise<boolean> {
  for (;;) {
    const earlier = (await findGrants(deps, enrollment)).filter(({ kind }) => kind === 'ADMIN')
    const live = liveGrants(earlier, deps.now())
    const end = accessEndOf(live)
    if (live.length > 0 && (end === null || (until !== null && until <= end))) return false
    const [last] = live
    const key = `admin:${earlier.length + 1}`
    const isChanged = last
      ? await extendGrant(deps, { ...enrollment, key: last.key, from: last.until, until, reason })
      : await addGrant(deps, {
          ...enrollment,
          grant: { key, kind: 'ADMIN', until, ...(reason !== null && { reason }) },
        })
    if (isChanged) return true
  }
}

/**
 * Revokes every live grant of a student that was not paid for, and lets them in for nothing no more, until somebody
 * grants them access again; paid access ends by a refund, which gives the money back. What really changes is put
 * into the audit log. Throws PAID_ACCESS (nothing but paid grants is live) and NOT_FOUND (never enrolled).
 */
export async function revokeAccess(
  deps: Audited,
  actor: Actor,
  { course, userId, reason }: AccessRevocation & { course: CourseDocument },
): Promise<RosterEntry> {
  const courseId = course._id
  const ended = await endGivenAccess(deps, { userId, courseId, by: actor.id, reason })
  if (!ended) throw new DomainError('NOT_FOUND')
  if (ended.isPaid && !ended.isNews) throw new DomainError('PAID_ACCESS')
  if (ended.isNews) {
    await audit(deps, {
      actor,
      act: 'enrollments.revoked',
      target: `course:${courseId}`,
      after: { userId, grants: ended.keys, reason },
    })
  }
  return requireRosterEntry(deps, { actor, course, userId })
}

type EntryOf = { actor: Actor; course: CourseDocument; userId: string }

async function requireRosterEntry(
  deps: Uses<'db' | 'now'>,
  { actor, course, userId }: EntryOf,
): Promise<RosterEntry> {
  const row = await deps.db.orm.enrollments.where({ userId, courseId: course._id }).first()
  if (!row) throw new DomainError('NOT_FOUND')
  const [entry] = await rosterOf(deps, { actor, course, rows: [row] })
  if (!entry) throw new DomainError('NOT_FOUND')
  return entry
}
