// What is sold has an author who may sell and answers for it. Who may is decided on the user, in one write; that it is
// so is then noted on each course, for those who read. Where money or access is given, the author is looked at again.
import { ObjectId, type Document } from 'mongodb'
import type { Db } from '../db.ts'
import type { Uses } from '../deps.ts'
import { leased } from '../lease.ts'
import type { CourseDocument } from './course.ts'

/** Matches the courses that everyone can see and buy. */
export const ON_SALE: Document = { status: 'PUBLISHED', withheldAt: null }

/** The same of a course that was read. */
export function isOnSale({
  status,
  withheldAt,
}: Pick<CourseDocument, 'status' | 'withheldAt'>): boolean {
  return status === 'PUBLISHED' && !withheldAt
}

const MAY_SELL: Document = {
  role: { $in: ['INSTRUCTOR', 'ADMIN'] },
  disabledAt: null,
  deletedAt: null,
}

/** Whether every one of these is still an author, by the account as it is now. */
export async function maySell(db: Db, ownerIds: readonly string[]): Promise<boolean> {
  const ids = [...new Set(ownerIds)].map((id) => new ObjectId(id))
  const found = await db.driver
    .collection('users')
    .countDocuments({ _id: { $in: ids }, ...MAY_SELL }, { limit: ids.length })
  return found === ids.length
}

// Each pass is followed by another look, since the account may have been changed meanwhile.
const MAX_PASSES = 10

/**
 * Takes every course of this author off the shelf, or puts them back, as the account says. It may run twice, or at once,
 * or die in the middle, and be begun again; of several at once, whoever writes last looks once more.
 */
export async function alignShelfOf({ db, now }: Uses<'db' | 'now'>, userId: string): Promise<void> {
  const ownerId = new ObjectId(userId)
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const isShown = await maySell(db, [userId])
    await db.driver
      .collection('courses')
      .updateMany(
        { ownerId, withheldAt: isShown ? { $ne: null } : null },
        { $set: { withheldAt: isShown ? null : now() } },
      )
    if ((await maySell(db, [userId])) === isShown) return
  }
}

/** Goes on where a process died between deciding about an author and their courses. */
export const alignShelves = leased({
  name: 'shelves',
  everySeconds: 5 * 60,
  work: async (deps, keep) => {
    for (const ownerId of await findMisplaced(deps)) {
      if (!(await keep())) return
      await alignShelfOf(deps, ownerId)
    }
  },
})

/** Authors of whose courses one at least is not where it belongs. */
async function findMisplaced({ db }: Uses<'db'>): Promise<string[]> {
  const isWithheld = { $eq: [{ $type: '$withheldAt' }, 'date'] }
  const rows = await db.driver
    .collection('courses')
    .aggregate<{ _id: ObjectId }>(
      [
        { $group: { _id: { ownerId: '$ownerId', isWithheld } } },
        {
          $lookup: {
            from: 'users',
            localField: '_id.ownerId',
            foreignField: '_id',
            as: 'sellers',
            pipeline: [{ $match: MAY_SELL }, { $project: { _id: 1 } }],
          },
        },
        { $match: { $expr: { $eq: ['$_id.isWithheld', { $ne: ['$sellers', []] }] } } },
        { $group: { _id: '$_id.ownerId' } },
      ],
      { maxTimeMS: 12_000 },
    )
    .toArray()
  return rows.map(({ _id }) => _id.toHexString())
}
