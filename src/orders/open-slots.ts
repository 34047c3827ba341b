// How many orders an account may have open is decided by a key, and by nothing that is counted before: each open
// order stands on one of so many slots, and no slot holds two.
import { randomInt } from 'node:crypto'
import type { Uses } from '../deps.ts'

/** Each open order is one to ask the gateway about, and may hold a coupon. */
export const MOST_OPEN = 20

/** A slot that this account has left, or null. Of two who take the same, the unique key lets one in. */
export async function freeSlot(deps: Uses<'db' | 'now'>, userId: string): Promise<string | null> {
  const slots = Array.from({ length: MOST_OPEN }, (_, n) => `${userId}:${n}`)
  const taken = await orders(deps)
    .find({ openSlot: { $in: slots } })
    .project<{ openSlot: string }>({ openSlot: 1 })
    .toArray()
  const free = slots.filter((slot) => !taken.some(({ openSlot }) => openSlot === slot))
  if (free.length > 0) return free[randomInt(free.length)] ?? null
  // Whoever may not be paid any more keeps nobody out, though the gateway is still to be asked about it.
  const { modifiedCount } = await orders(deps).updateMany(
    { openSlot: { $in: slots }, expiresAt: { $lte: deps.now() } },
    { $unset: { openSlot: '' } },
  )
  return modifiedCount > 0 ? freeSlot(deps, userId) : null
}

function orders({ db }: Uses<'db'>) {
  return db.driver.collection<{ openSlot?: string; expiresAt: Date }>('orders')
}
