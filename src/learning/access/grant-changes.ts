import { ObjectId } from 'mongodb'
import type { Uses } from '../../deps.ts'
import { rebuildRatingIfReviewed } from '../ratings.ts'
import type { EnrollmentKey } from './grants.ts'

type GrantChange = EnrollmentKey & { key: string; reason: string }

/** Ends the grant of this key; false when there is none, or it is revoked already. */
export async function revokeGrant(deps: Uses<'db' | 'now'>, change: GrantChange): Promise<boolean> {
  return setRevoked(deps, change, { from: { $eq: null }, to: deps.now() })
}

/** Revives the revoked grant of this key, as when its refund failed; false when there is none. */
export async function restoreGrant(
  deps: Uses<'db' | 'now'>,
  change: GrantChange,
): Promise<boolean> {
  return setRevoked(deps, change, { from: { $ne: null }, to: null })
}

type Revocation = { from: { $eq: null } | { $ne: null }; to: Date | null }

// Prisma has no $elemMatch, and the condition must hold of the same grant that is written.
async function setRevoked(
  deps: Uses<'db' | 'now'>,
  { userId, courseId, key, reason }: GrantChange,
  { from, to }: Revocation,
): Promise<boolean> {
  const { db, now } = deps
  const { modifiedCount } = await db.driver.collection('enrollments').updateOne(
    {
      userId: new ObjectId(userId),
      courseId: new ObjectId(courseId),
      grants: { $elemMatch: { key, revokedAt: from } },
    },
    { $set: { 'grants.$.revokedAt': to, 'grants.$.reason': reason, updatedAt: now() } },
  )
  if (modifiedCount === 0) return false
  await rebuildRatingIfReviewed(deps, { userId, courseId })
  return true
}

type GrantExtension = EnrollmentKey & {
  key: string
  /** The end that it was seen with. */
  from: Date | null
  until: Date | null
  reason: string | null
}

/** Moves the end of a grant; false when it is revoked, or somebody else moved its end meanwhile. */
export async function extendGrant(
  { db, now }: Uses<'db' | 'now'>,
  { userId, courseId, key, from, until, reason }: GrantExtension,
): Promise<boolean> {
  const { modifiedCount } = await db.driver.collection('enrollments').updateOne(
    {
      userId: new ObjectId(userId),
      courseId: new ObjectId(courseId),
      grants: { $elemMatch: { key, revokedAt: null, until: from } },
    },
    { $set: { 'grants.$.until': until, 'grants.$.reason': reason, updatedAt: now() } },
  )
  return modifiedCount === 1
}
