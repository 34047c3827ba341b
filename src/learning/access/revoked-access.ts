// Access that was paid for and revoked when the money went back (a refund, a lost dispute), with no other
// grant in its place. Meanwhile the buyer's review does not count and the certificate is not valid. Access
// that expired, or that an author revoked, is not meant here: authors could otherwise choose among the
// reviews.
import { ObjectId, type Document } from 'mongodb'
import type { Db } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import type { StoredGrant } from './enrollment.ts'

/**
 * Matches enrollments whose paid access was revoked: a PAID grant is, and so are all. The first line is for
 * the index.
 */
export const IS_PAID_ACCESS_REVOKED: Document = {
  'grants.revokedAt': { $type: 'date' },
  grants: {
    $elemMatch: { kind: 'PAID', revokedAt: { $ne: null } },
    $not: { $elemMatch: { revokedAt: null } },
  },
}

type Row = { userId: ObjectId; courseId: ObjectId; grants: StoredGrant[] }

const enrollmentsOf = (db: Db) => db.driver.collection<Row>('enrollments')

/** The buyers whose access to this course was revoked. */
export async function findUsersWithRevokedAccess(
  { db }: Uses<'db'>,
  courseId: string,
): Promise<ObjectId[]> {
  const rows = await enrollmentsOf(db)
    .find(
      { courseId: new ObjectId(courseId), ...IS_PAID_ACCESS_REVOKED },
      { projection: { userId: 1 } },
    )
    .toArray()
  return rows.map(({ userId }) => userId)
}

/** The courses to which this buyer's access was revoked: course id → when. */
export async function findCoursesWithRevokedAccess(
  { db }: Uses<'db'>,
  userId: string,
): Promise<ReadonlyMap<string, Date>> {
  const rows = await enrollmentsOf(db)
    .find(
      { userId: new ObjectId(userId), ...IS_PAID_ACCESS_REVOKED },
      { projection: { courseId: 1, grants: 1 } },
    )
    .toArray()
  return new Map(
    rows.map(({ courseId, grants }) => {
      const ends = grants.map(({ revokedAt }) => revokedAt?.getTime() ?? 0)
      return [courseId.toHexString(), new Date(Math.max(...ends))]
    }),
  )
}
