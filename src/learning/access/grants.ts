// Access is the live grants of one enrollment per user and course. Each grant has a key of its own (an order's
// line, a free start, an administrator's act), so that giving it twice gives it once, whoever repeats it.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { ObjectId } from 'mongodb'
import type { Db } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import type { GrantKind } from './enrollment.ts'
import { rebuildRatingIfReviewed } from '../ratings.ts'

export type NewGrant = {
  key: string
  kind: GrantKind
  orderId?: string
  lineNo?: number
  until?: Date | null
  reason?: string
}

export type Grant = {
  key: string
  kind: GrantKind
  orderId: string | null
  lineNo: number | null
  at: Date
  until: Date | null
  revokedAt: Date | null
  reason: string | null
}

type EnrollmentKey = { userId: string; courseId: string }
type GrantChange = EnrollmentKey & { key: string; reason: string }

/** Adds the grant where its key is absent; false when it was there, revoked or not. */
export async function addGrant(
  { db, now }: Uses<'db' | 'now'>,
  { userId, courseId, grant: given }: EnrollmentKey & { grant: NewGrant },
): Promise<boolean> {
  const at = now()
  await ensureEnrollment(db, { userId, courseId }, at)
  const added = await db.orm.enrollments
    .where({ userId, courseId })
    .where(MongoFieldFilter.neq('grants.key', given.key))
    .update((enrollment) => [
      enrollment.grants.push(grantFrom(given, at)),
      enrollment.updatedAt.set(at),
    ])
  if (added !== null) await rebuildRatingIfReviewed({ db }, { userId, courseId })
  return added !== null
}

/**
 * As `grant`, but nothing is given where another grant already opens the course for good: of two orders
 * for one course, paid at once, exactly one hears true. Also true when this very grant was there.
 */
export async function addGrantUnlessHeld(
  { db, now }: Uses<'db' | 'now'>,
  { userId, courseId, grant: given }: EnrollmentKey & { grant: NewGrant },
): Promise<boolean> {
  const at = now()
  await ensureEnrollment(db, { userId, courseId }, at)
  const another = { key: { $ne: given.key }, revokedAt: null, until: null }
  const whose = { userId: new ObjectId(userId), courseId: new ObjectId(courseId) }
  const rows = db.driver.collection<typeof whose & { grants: Grant[]; updatedAt: Date }>(
    'enrollments',
  )
  const { modifiedCount } = await rows.updateOne(
    { ...whose, 'grants.key': { $ne: given.key }, grants: { $not: { $elemMatch: another } } },
    { $push: { grants: grantFrom(given, at) }, $set: { updatedAt: at } },
    { maxTimeMS: 5_000 },
  )
  if (modifiedCount === 0)
    return (await rows.countDocuments({ ...whose, 'grants.key': given.key })) > 0
  await rebuildRatingIfReviewed({ db }, { userId, courseId })
  return true
}

async function ensureEnrollment(db: Db, whose: EnrollmentKey, at: Date): Promise<void> {
  await db.orm.enrollments
    .where(whose)
    .upsert({ create: { ...whose, grants: [], createdAt: at, updatedAt: at }, update: {} })
}

function grantFrom(given: NewGrant, at: Date): Grant {
  return {
    key: given.key,
    kind: given.kind,
    orderId: given.orderId ?? null,
    lineNo: given.lineNo ?? null,
    at,
    until: given.until ?? null,
    revokedAt: null,
    reason: given.reason ?? null,
  }
}

/** Ends a live grant; false when there is none under this key. */
export async function revokeGrant(deps: Uses<'db' | 'now'>, change: GrantChange): Promise<boolean> {
  return setRevoked(deps, change, { revokedAt: deps.now(), isNow: { $eq: null } })
}

/** Gives a revoked grant back, as when its refund failed; false when there is none under this key. */
export async function restoreGrant(
  deps: Uses<'db' | 'now'>,
  change: GrantChange,
): Promise<boolean> {
  return setRevoked(deps, change, { revokedAt: null, isNow: { $ne: null } })
}

type Flag = { revokedAt: Date | null; isNow: { $eq: null } | { $ne: null } }

// Prisma has no $elemMatch, and the condition must hold of the same grant that is written.
async function setRevoked(
  { db, now }: Uses<'db' | 'now'>,
  { userId, courseId, key, reason }: GrantChange,
  { revokedAt, isNow }: Flag,
): Promise<boolean> {
  const { modifiedCount } = await db.driver.collection('enrollments').updateOne(
    {
      userId: new ObjectId(userId),
      courseId: new ObjectId(courseId),
      grants: { $elemMatch: { key, revokedAt: isNow } },
    },
    { $set: { 'grants.$.revokedAt': revokedAt, 'grants.$.reason': reason, updatedAt: now() } },
    { maxTimeMS: 5_000 },
  )
  if (modifiedCount === 0) return false
  await rebuildRatingIfReviewed({ db }, { userId, courseId })
  return true
}

type GrantExtension = EnrollmentKey & {
  key: string
  from: Date | null
  until: Date | null
  reason: string | null
}

/** Moves the end of a live grant; false when it no longer has the end it was seen with, or is revoked. */
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
    { maxTimeMS: 5_000 },
  )
  return modifiedCount === 1
}

/** Every grant ever given, revoked and expired ones too; none for a stranger. */
export async function findGrants(
  { db }: Uses<'db'>,
  { userId, courseId }: EnrollmentKey,
): Promise<Grant[]> {
  const enrollment = await db.orm.enrollments.where({ userId, courseId }).first()
  return (enrollment?.grants ?? []).map((stored) => ({
    key: stored.key,
    kind: stored.kind as GrantKind,
    orderId: stored.orderId ?? null,
    lineNo: stored.lineNo ?? null,
    at: stored.at,
    until: stored.until ?? null,
    revokedAt: stored.revokedAt ?? null,
    reason: stored.reason ?? null,
  }))
}
