// The uses of a coupon are a list that only grows: each takes the place after the last, by a unique key, so that
// whoever appends has seen everything before. Limits are decided at that moment and hold however they change.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { isDuplicateKey, type Stored } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { inTurn } from '../in-turn.ts'
import type { CouponDocument } from './discounts.ts'

type Stock = Uses<'db' | 'now'>
type Buyer = { orderId: string; userId: string }
type Use = Stored<'coupon_uses'>
type Limits = { maxTotal: number | null; maxPerUser: number | null }

// Buyers of one instance come one after the other, so each conflict means that another instance was first.
const MAX_TRIES = 200

/** Holds a use for this order; again, it is held once. Throws COUPON_USED_UP when there is none left. */
export async function holdUse(
  deps: Stock,
  { code }: Pick<CouponDocument, 'code'>,
  buyer: Buyer,
): Promise<void> {
  const held = await findUse(deps, buyer.orderId)
  if (held) {
    requireKept(held)
    return
  }
  await inTurn(deps.db, `coupon ${code}`, async () => {
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      if (await append(deps, code, buyer)) return
    }
    throw new DomainError('COUPON_USED_UP')
  })
}

/** False when somebody else took the place meanwhile, so that what was counted no longer stands. */
async function append(deps: Stock, code: string, buyer: Buyer): Promise<boolean> {
  const at = deps.now()
  const place = await nextPlace(deps, code)
  const limits = await limitsOf(deps, code)
  const hasLeft = await isLeft(deps, code, { ...buyer, ...limits, place })
  // The last one may have gone to this very order, opened in two tabs.
  const known = await findUse(deps, buyer.orderId)
  if (known) {
    requireKept(known)
    return true
  }
  if (!hasLeft) throw new DomainError('COUPON_USED_UP')
  try {
    const { orderId, userId } = buyer
    const when = { createdAt: at, updatedAt: at }
    const use = { code, place, userId, orderId, state: 'HELD' as const, late: false }
    await deps.db.orm.coupon_uses.create({ ...use, ...limits, ...when })
    return true
  } catch (error) {
    if (isDuplicateKey(error)) return false
    throw error
  }
}

async function nextPlace({ db }: Uses<'db'>, code: string): Promise<number> {
  const last = await db.orm.coupon_uses.where({ code }).orderBy({ place: -1 }).first()
  return last ? last.place + 1 : 0
}

async function limitsOf({ db }: Uses<'db'>, code: string): Promise<Limits> {
  const coupon = await db.orm.coupons.where({ code }).first()
  if (!coupon) throw new DomainError('COUPON_INVALID')
  return { maxTotal: coupon.maxTotal ?? null, maxPerUser: coupon.maxPerUser ?? null }
}

type Ask = Buyer & Limits & { place: number }

async function isLeft(
  deps: Uses<'db'>,
  code: string,
  { userId, maxTotal, maxPerUser, place }: Ask,
): Promise<boolean> {
  if (maxPerUser !== null && (await usesBy(deps, code, userId)) >= maxPerUser) return false
  if (maxTotal === null || place < maxTotal) return true
  // Every place below is taken or was given back: there is one left if more came back than were sold beyond.
  const needed = place - maxTotal + 1
  return (await countReleased(deps, code, needed)) >= needed
}

async function usesBy({ db }: Uses<'db'>, code: string, userId: string): Promise<number> {
  const own = await db.orm.coupon_uses
    .where({ code, userId })
    .where(MongoFieldFilter.neq('state', 'RELEASED'))
    .select('_id')
    .all()
  return own.length
}

/** Counts no further than is asked for. */
function countReleased({ db }: Uses<'db'>, code: string, limit: number): Promise<number> {
  return db.driver.collection('coupon_uses').countDocuments({ code, state: 'RELEASED' }, { limit })
}

/**
 * Turns the hold of a paid order into a use. One that was given back is taken again whatever the limits say, since
 * its price was paid, and counts against them from then on: then the answer is `late`.
 */
export async function redeemUse(deps: Stock, orderId: string): Promise<{ late: boolean }> {
  const updatedAt = deps.now()
  const held = { orderId, state: 'HELD' as const }
  if (await deps.db.orm.coupon_uses.where(held).update({ state: 'USED', updatedAt }))
    return { late: false }
  const released = { orderId, state: 'RELEASED' as const }
  const again = { state: 'USED' as const, late: true, updatedAt }
  return { late: (await deps.db.orm.coupon_uses.where(released).update(again)) !== null }
}

/** Gives back what an order held and did not use. Its place stays, as one that is free. */
export async function releaseUse({ db, now }: Stock, orderId: string): Promise<void> {
  await db.orm.coupon_uses
    .where({ orderId, state: 'HELD' })
    .update({ state: 'RELEASED', updatedAt: now() })
}

function findUse({ db }: Uses<'db'>, orderId: string): Promise<Use | null> {
  return Promise.resolve(db.orm.coupon_uses.where({ orderId }).first())
}

function requireKept({ state }: Use): void {
  if (state === 'RELEASED') throw new DomainError('ORDER_CLOSED')
}
