import { ObjectId } from 'mongodb'
import type { Actor } from '../auth/sessions.ts'
import type { Role } from '../auth/user.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'

type Usage = { files: number; bytes: number; pending: number }

const MB = 1024 * 1024
const GB = 1024 * MB

/** What one account may keep at a time. */
const QUOTAS: Record<Role, Usage> = {
  STUDENT: { files: 20, bytes: 20 * MB, pending: 5 },
  INSTRUCTOR: { files: 5_000, bytes: 500 * GB, pending: 50 },
  ADMIN: { files: 5_000, bytes: 500 * GB, pending: 50 },
}

/**
 * Throws QUOTA_REACHED when this account keeps as many files, bytes or pending uploads as its role may.
 * Uploads at the same moment may pass together; how many can run at once is limited as well (concurrency.ts).
 */
export async function requireQuota({ db }: Uses<'db'>, actor: Actor): Promise<void> {
  const [usage] = await db.driver
    .collection('media')
    .aggregate<Usage>([
      { $match: { ownerId: new ObjectId(actor.id), state: { $ne: 'REMOVED' } } },
      {
        $group: {
          _id: null,
          files: { $sum: 1 },
          bytes: { $sum: '$bytes' },
          pending: { $sum: { $cond: [{ $eq: ['$state', 'PENDING'] }, 1, 0] } },
        },
      },
    ])
    .toArray()
  if (!usage) return
  const { files, bytes, pending } = QUOTAS[actor.role]
  if (usage.files >= files || usage.bytes >= bytes || usage.pending >= pending)
    throw new DomainError('QUOTA_REACHED')
}
