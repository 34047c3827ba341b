import { ObjectId } from 'mongodb'
import type { Uses } from '../../deps.ts'
import { rebuildRatingIfReviewed } from '../ratings.ts'
import { liveGrants, type StoredGrant } from './enrollment.ts'
import type { EnrollmentKey } from './grants.ts'

type Ending = EnrollmentKey & {
  /** Whoever ends it. */
  by: string
  reason: string
}

/** What a person who ends access met: the keys of the grants that ended, and whether any paid one is left. */
export type Ended = { keys: string[]; isPaid: boolean; isNews: boolean }

/**
 * Ends, in one write, every live grant that was not paid for, and bars the student from being let in for nothing: of an
 * order for nothing at the same moment either the grant is ended, or it is never added. Where nothing but paid
 * grants is live, nothing is done. Null for somebody who was never enrolled.
 */
export async function endGivenAccess(
  deps: Uses<'db' | 'now'>,
  { userId, courseId, by, reason }: Ending,
): Promise<Ended | null> {
  const at = deps.now()
  const isLive = { revokedAt: null, $or: [{ until: null }, { until: { $gt: at } }] }
  const unpaid = { ...isLive, kind: { $ne: 'PAID' } }
  const enrollments = deps.db.driver.collection<{ grants: StoredGrant[]; barredAt?: Date | null }>(
    'enrollments',
  )
  const whose = { userId: new ObjectId(userId), courseId: new ObjectId(courseId) }
  const before = await enrollments.findOneAndUpdate(
    {
      ...whose,
      $or: [
        { grants: { $elemMatch: unpaid } },
        { grants: { $not: { $elemMatch: { ...isLive, kind: 'PAID' } } }, barredAt: null },
      ],
    },
    {
      $set: {
        'grants.$[given].revokedAt': at,
        'grants.$[given].reason': reason,
        'grants.$[given].revokedBy': by,
        barredAt: at,
        updatedAt: at,
      },
    },
    {
      returnDocument: 'before',
      arrayFilters: [
        {
          'given.kind': { $ne: 'PAID' },
          'given.revokedAt': null,
          $or: [{ 'given.until': null }, { 'given.until': { $gt: at } }],
        },
      ],
    },
  )
  const found = before ?? (await enrollments.findOne(whose))
  if (!found) return null
  const live = liveGrants(found.grants, at)
  const isPaid = live.some(({ kind }) => kind === 'PAID')
  if (!before) return { keys: [], isPaid, isNews: false }
  await rebuildRatingIfReviewed(deps, { userId, courseId })
  const keys = live.filter(({ kind }) => kind !== 'PAID').map(({ key }) => key)
  return { keys, isPaid, isNews: true }
}

type GrantChange = EnrollmentKey & { key: string; reason: string }

/** Ends the grant of this key, its money being gone; false when there is none, or it is revoked already. */
export async function revokeGrant(deps: Uses<'db' | 'now'>, change: GrantChange): Promise<boolean> {
  return setRevoked(deps, change, { from: { $eq: null }, to: deps.now() })
}

/**
 * Revives the revoked grant of this key, as when its refund failed; false when there is none, or a person ended it.
 */
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
      grants: { $elemMatch: { key, revokedAt: from, revokedBy: null } },
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
    {
      $set: {
        'grants.$.until': until,
        'grants.$.reason': reason,
        barredAt: null,
        updatedAt: now(),
      },
    },
  )
  return modifiedCount === 1
}
