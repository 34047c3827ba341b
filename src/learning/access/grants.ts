// Access is the live grants of one enrollment per user and course. Each grant has a key of its own
// (`order:…:1` of an order's line, `free`, `admin:2`), so that adding it twice adds it once. Here is also the one rule
// of admission, in the writes themselves: whose access a person has ended (`barredAt`) is let in by a person or by
// paying, and for nothing by no door.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { ObjectId } from 'mongodb'
import type { Db } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import { rebuildRatingIfReviewed } from '../ratings.ts'
import type { GrantKind } from './enrollment.ts'

export type NewGrant = {
  /** Says what it is granted for. */
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
  revokedBy: string | null
}

export type EnrollmentKey = { userId: string; courseId: string }

/**
 * Adds a grant to this user's enrollment; false when a grant of this key is there, revoked or not, or when it is for
 * nothing and they are barred. One by an administrator or the author ends that.
 */
export async function addGrant(
  deps: Uses<'db' | 'now'>,
  { userId, courseId, grant: given }: EnrollmentKey & { grant: NewGrant },
): Promise<boolean> {
  const { db } = deps
  const at = deps.now()
  await ensureEnrollment(db, { userId, courseId }, at)
  const open = db.orm.enrollments
    .where({ userId, courseId })
    .where(MongoFieldFilter.neq('grants.key', given.key))
  const admitted = given.kind === 'FREE' ? open.where(MongoFieldFilter.isNull('barredAt')) : open
  const added = await admitted.update((enrollment) => [
    enrollment.grants.push(grantFrom(given, at)),
    enrollment.updatedAt.set(at),
    ...(given.kind === 'ADMIN' ? [enrollment.barredAt.set(null)] : []),
  ])
  if (added !== null) await rebuildRatingIfReviewed(deps, { userId, courseId })
  return added !== null
}

/**
 * As `addGrant`, but nothing is added where another grant already opens the course for good: of two orders
 * for one course, paid at once, exactly one is answered true. Also true when this key is there already.
 */
export async function addGrantUnlessHeld(
  deps: Uses<'db' | 'now'>,
  { userId, courseId, grant: given }: EnrollmentKey & { grant: NewGrant },
): Promise<boolean> {
  const { db } = deps
  const at = deps.now()
  await ensureEnrollment(db, { userId, courseId }, at)
  const another = { key: { $ne: given.key }, revokedAt: null, until: null }
  const enrollment = { userId: new ObjectId(userId), courseId: new ObjectId(courseId) }
  const rows = db.driver.collection<typeof enrollment & Stored>('enrollments')
  const { modifiedCount } = await rows.updateOne(
    {
      ...enrollment,
      'grants.key': { $ne: given.key },
      grants: { $not: { $elemMatch: another } },
      ...(given.kind === 'FREE' && { barredAt: null }),
    },
    { $push: { grants: grantFrom(given, at) }, $set: { updatedAt: at } },
  )
  if (modifiedCount === 0)
    return (await rows.countDocuments({ ...enrollment, 'grants.key': given.key })) > 0
  await rebuildRatingIfReviewed(deps, { userId, courseId })
  return true
}

type Stored = { grants: Grant[]; barredAt: Date | null; updatedAt: Date }

async function ensureEnrollment(db: Db, of: EnrollmentKey, at: Date): Promise<void> {
  await db.orm.enrollments.where(of).upsert({
    create: { ...of, grants: [], barredAt: null, createdAt: at, updatedAt: at },
    update: {},
  })
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
    revokedBy: null,
  }
}

/** Every grant of this user to this course, revoked and expired ones too; none for who was never enrolled. */
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
    revokedBy: stored.revokedBy ?? null,
  }))
}
