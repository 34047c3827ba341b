// A use that is held and not paid keeps others from it. So one buyer holds few, each for a short while, and whoever
// lets them lapse again and again is refused for the rest of a day.
import { MongoFieldFilter, MongoOrExpr } from '@prisma/orm-mongo/query-ast/execution'
import type { Stored } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DAY_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'

type Stock = Uses<'db' | 'now'>
export type Use = Stored<'coupon_uses'>

const MOST_HELD = 3
const MOST_LAPSED = 10

type Ask = { userId: string; own: readonly Use[]; maxTotal: number | null }

/**
 * The slot on which this buyer may hold one more use; of two that take the same, the unique key lets one in. `own`
 * are the buyer's uses of this coupon. Throws TOO_MANY_OPEN_ORDERS, and TOO_MANY_REQUESTS for lapsed ones.
 */
export async function requireHoldSlot(
  deps: Stock,
  { userId, own, maxTotal }: Ask,
): Promise<string> {
  // Of a coupon that can run out, nobody holds more than one: then no account can hold all there are.
  const isScarce = maxTotal !== null
  if (isScarce && own.some(isWaiting)) throw new DomainError('TOO_MANY_OPEN_ORDERS', SOON)
  if (isScarce) requireFewLapsed(deps, own)
  const slots = slotsOf(userId)
  const taken = await findHolds(deps, userId)
  const free = slots.find((slot) => !taken.some(({ holdSlot }) => holdSlot === slot))
  if (free === undefined) throw new DomainError('TOO_MANY_OPEN_ORDERS', SOON)
  return free
}

const SOON = { retryAfterSeconds: 60 }

function isWaiting({ state, late }: Use): boolean {
  return state === 'HELD' && !late
}

function requireFewLapsed({ now }: Uses<'now'>, own: readonly Use[]): void {
  const since = now().getTime() - DAY_MS
  const lapsed = own.filter(
    ({ state, updatedAt }) => state === 'RELEASED' && updatedAt.getTime() > since,
  )
  if (lapsed.length < MOST_LAPSED) return
  const first = Math.min(...lapsed.map(({ updatedAt }) => updatedAt.getTime()))
  const retryAfterSeconds = Math.ceil((first - since) / 1_000)
  throw new DomainError('TOO_MANY_REQUESTS', { retryAfterSeconds })
}

/** What a buyer holds of any coupon and has not paid. */
export function findHolds({ db }: Uses<'db'>, userId: string): Promise<Use[]> {
  const slots = slotsOf(userId)
  return Promise.resolve(db.orm.coupon_uses.where(MongoFieldFilter.in('holdSlot', slots)).all())
}

function slotsOf(userId: string): string[] {
  return Array.from({ length: MOST_HELD }, (_, n) => `${userId}:${n}`)
}

/** Gives back what an order held once its time is over, unless it is being paid. Its place stays, as one that is free. */
export async function releaseUse({ db, now }: Stock, orderId: string): Promise<void> {
  const at = now()
  const isOver = MongoOrExpr.of([
    MongoFieldFilter.isNull('heldUntil'),
    MongoFieldFilter.lte('heldUntil', at),
  ])
  await db.orm.coupon_uses
    .where({ orderId, state: 'HELD' })
    .where(isOver)
    .update({ state: 'RELEASED', holdSlot: null, updatedAt: at })
}

/** The same before that time, for a buyer who begins anew. */
export async function giveUpHold({ db, now }: Stock, { _id }: Use): Promise<void> {
  await db.orm.coupon_uses
    .where({ _id, state: 'HELD', late: false })
    .update({ state: 'RELEASED', holdSlot: null, updatedAt: now() })
}
