import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import { oid } from '../db.ts'
import type { Uses } from '../deps.ts'
import type { StoredGrant } from './access/enrollment.ts'

/** How whoever wrote a review came to the course: for money, for nothing, or by somebody's gift. */
export type ReviewSource = 'PAID' | 'FREE' | 'GIFT'

/** Of these students of a course: user id → how they came to it. */
export async function findSources(
  { db }: Uses<'db'>,
  courseId: string,
  userIds: string[],
): Promise<ReadonlyMap<string, ReviewSource>> {
  if (userIds.length === 0) return new Map()
  const rows = await db.orm.enrollments
    .where({ courseId })
    .where(Field.in('userId', userIds.map(oid)))
    .select('userId', 'grants')
    .all()
  return new Map(rows.map(({ userId, grants }) => [userId, sourceOf(grants)]))
}

function sourceOf(grants: readonly StoredGrant[]): ReviewSource {
  const has = (kind: string) => grants.some((grant) => grant.kind === kind && !grant.revokedAt)
  if (has('PAID')) return 'PAID'
  return has('ADMIN') || !has('FREE') ? 'GIFT' : 'FREE'
}
