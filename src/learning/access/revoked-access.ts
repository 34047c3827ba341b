// Access that was paid for and taken back with the money (a refund, a lost dispute), with nothing else given in its
// place. What its holder said of the course does not count meanwhile. Access that ran out, or that a teacher ended,
// is no such thing: a teacher could otherwise choose among the reviews.
import { ObjectId, type Document } from 'mongodb'
import type { Db } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import type { StoredGrant } from './enrollment.ts'

/** Holds of an enrollment whose access was taken back; the first line only names the index. */
export const IS_PAID_ACCESS_REVOKED: Document = {
  'grants.revokedAt': { $type: 'date' },
  grants: {
    $elemMatch: { kind: 'PAID', revokedAt: { $ne: null } },
    $not: { $elemMatch: { revokedAt: null } },
  },
}

type Row = { userId: ObjectId; courseId: ObjectId; grants: StoredGrant[] }

const enrollmentsOf = (db: Db) => db.driver.collection<Row>('enrollments')

/** Those whose access to the course was taken back. */
export async function findUsersWithRevokedAccess(
  { db }: Uses<'db'>,
  courseId: string,
): Promise<ObjectId[]> {
  const rows = await enrollmentsOf(db)
    .find(
      { courseId: new ObjectId(courseId), ...IS_PAID_ACCESS_REVOKED },
      { projection: { userId: 1 }, maxTimeMS: 5_000 },
    )
    .toArray()
  return rows.map(({ userId }) => userId)
}

/** Course id → when this user's access to it was taken back. */
export async function findRevokedCourses(
  { db }: Uses<'db'>,
  userId: string,
): Promise<ReadonlyMap<string, Date>> {
  const rows = await enrollmentsOf(db)
    .find(
      { userId: new ObjectId(userId), ...IS_PAID_ACCESS_REVOKED },
      { projection: { courseId: 1, grants: 1 }, maxTimeMS: 5_000 },
    )
    .toArray()
  return new Map(
    rows.map(({ courseId, grants }) => {
      const ends = grants.map(({ revokedAt }) => revokedAt?.getTime() ?? 0)
      return [courseId.toHexString(), new Date(Math.max(...ends))]
    }),
  )
}
