import { hasLiveGrant } from '../../courses/access.ts'

/** Why it was granted: an order was paid, the course is free, or an author or administrator said so. */
export type GrantKind = 'PAID' | 'FREE' | 'ADMIN'

/** A grant as it is stored: nested, so read back undecoded. */
export type StoredGrant = {
  readonly key: string
  readonly kind: string
  readonly at: Date
  readonly until?: Date | null
  readonly revokedAt?: Date | null
  readonly revokedBy?: string | null
}

export type EnrollmentDocument = {
  courseId: string
  grants: readonly StoredGrant[]
  createdAt: Date
}

/** `isActive` says whether the course can be opened now; `until` when that ends, if it does. */
export type Enrollment = {
  courseId: string
  isActive: boolean
  until: Date | null
  enrolledAt: Date
}

/** An enrollment as its student sees it. */
export function enrollmentOf(
  { courseId, grants, createdAt }: EnrollmentDocument,
  now: Date,
): Enrollment {
  return {
    courseId,
    isActive: hasLiveGrant({ grants }, now),
    until: accessEndOf(liveGrants(grants, now)),
    enrolledAt: createdAt,
  }
}

/** The grants that open the course now: neither revoked nor past their end. */
export function liveGrants<Grant extends StoredGrant>(
  grants: readonly Grant[],
  now: Date,
): Grant[] {
  return grants.filter((grant) => hasLiveGrant({ grants: [grant] }, now))
}

/**
 * The last end among these grants, or null when one of them has none. Of no grants at all it is null, too.
 */
export function accessEndOf(grants: readonly Pick<StoredGrant, 'until'>[]): Date | null {
  const ends = grants.map(({ until }) => until?.getTime() ?? Infinity)
  const last = Math.max(...ends)
  return Number.isFinite(last) ? new Date(last) : null
}
