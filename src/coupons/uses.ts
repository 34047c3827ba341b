// The uses of a coupon are a list that only grows: each takes the place after the last, by a unique key, so that
// whoever appends has seen everything before. Limits are decided at that moment and hold however they change.
import { isDuplicateKey } from '../db.ts'
import type { Uses } from '../deps.ts'
import { MINUTE_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'
import { inTurn } from '../in-turn.ts'
import type { CouponDocument } from './discounts.ts'
import { requireHoldSlot, type Use } from './holds.ts'

type Stock = Uses<'db' | 'now'>
type Buyer = { orderId: string; userId: string }
type Limits = { maxTotal: number | null; maxPerUser: number | null }

/**
 * Until when it is held; left out, until the order is closed. `late`: for somebody who is paying already;
 * `beyondLimits`: an administrator has decided, and no limit is asked.
 */
type Hold = Buyer & { heldUntil?: Date; late?: boolean; beyondLimits?: boolean }

// Buyers of one instance come one after the other, so each conflict means that another instance was first.
const MAX_TRIES = 200

/**
 * Holds a use for this order; again, it is held once. Throws COUPON_USED_UP when there is none left, and what
 * requireHoldSlot throws.
 */
export async function holdUse(
  deps: Stock,
  { code }: Pick<CouponDocument, 'code'>,
  hold: Hold,
): Promise<void> {
  const held = await findUse(deps, hold.orderId)
  if (held) {
    requireKept(held)
    return
  }
  await inTurn(deps.db, `coupon ${code}`, async () => {
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      if (await append(deps, code, hold)) return
    }
    throw new DomainError('COUPON_USED_UP')
  })
}

/** False when somebody else took the place meanwhile, so that what was counted no longer stands. */
async function append(
  deps: Stock,
  code: string,
  { heldUntil, late = false, beyondLimits = false, ...buyer }: Hold,
): Promise<boolean> {
  const at = deps.now()
  const place = await nextPlace(deps, code)
  const limits = beyondLimits ? NO_LIMITS : await limitsOf(deps, code)
  const own = await usesBy(deps, code, buyer.userId)
  const hasLeft = await isLeft(deps, code, { ...limits, own, place })
  // The last one may have gone to this very order, opened in two tabs.
  const known = await findUse(deps, buyer.orderId)
  if (known) {
    requireKept(known)
    return true
  }
  if (!hasLeft) throw new DomainError('COUPON_USED_UP')
  const ask = { userId: buyer.userId, own, maxTotal: limits.maxTotal }
  const holdSlot = late ? null : await requireHoldSlot(deps, ask)
  try {
    const { orderId, userId } = buyer
    const when = { heldUntil: heldUntil ?? null, createdAt: at, updatedAt: at }
    const use = { code, place, userId, orderId, state: 'HELD' as const, late, holdSlot }
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

const NO_LIMITS: Limits = { maxTotal: null, maxPerUser: null }

type Ask = Limits & { own: readonly Use[]; place: number }

async function isLeft(
  deps: Uses<'db'>,
  code: string,
  { own, maxTotal, maxPerUser, place }: Ask,
): Promise<boolean> {
  const kept = own.filter(({ state }) => state !== 'RELEASED')
  if (maxPerUser !== null && kept.length >= maxPerUser) return false
  if (maxTotal === null || place < maxTotal) return true
  // Every place below is taken or was given back: there is one left if more came back than were sold beyond.
  const needed = place - maxTotal + 1
  return (await countReleased(deps, code, needed)) >= needed
}

function usesBy({ db }: Uses<'db'>, code: string, userId: string): Promise<Use[]> {
  return Promise.resolve(db.orm.coupon_uses.where({ code, userId }).all())
}

/** Counts no further than is asked for. */
function countReleased({ db }: Uses<'db'>, code: string, limit: number): Promise<number> {
  return db.driver.collection('coupon_uses').countDocuments({ code, state: 'RELEASED' }, { limit })
}

// Longer than it takes to claim an order that is being paid.
const KEPT_MS = 10 * MINUTE_MS

/**
 * Sees to it that an order which is being paid after its time has its use: what it still holds is kept, and what
 * was given back is held anew, at the end of the list, within the limits as they are now. False when none is left.
 */
export async function keepUse(
  deps: Stock,
  code: string,
  { beyondLimits = false, ...buyer }: Buyer & { beyondLimits?: boolean },
): Promise<boolean> {
  const { orderId } = buyer
  const heldUntil = new Date(deps.now().getTime() + KEPT_MS)
  const kept = await deps.db.orm.coupon_uses
    .where({ orderId, state: 'HELD' })
    .update({ heldUntil, late: true, updatedAt: deps.now() })
  if (kept) return true
  await stepAside(deps, orderId)
  try {
    await holdUse(deps, { code }, { ...buyer, heldUntil, late: true, beyondLimits })
    return true
  } catch (error) {
    if (error instanceof DomainError) return false
    throw error
  }
}

/** A use that was given back makes room for another of its order; it keeps its place. */
async function stepAside({ db, now }: Stock, orderId: string): Promise<void> {
  const known = await db.orm.coupon_uses.where({ orderId, state: 'RELEASED' }).first()
  if (!known) return
  await db.orm.coupon_uses
    .where({ _id: known._id, orderId, state: 'RELEASED' })
    .update({ orderId: `${orderId}:${known.place}`, updatedAt: now() })
}

/**
 * Turns the hold of a paid order into a use. One that was given back is taken again whatever the limits say, since
 * its price was paid: the invariants tell of it. The answer is `late` where the order was paid after its time.
 */
export async function redeemUse(deps: Stock, orderId: string): Promise<{ late: boolean }> {
  const used = { state: 'USED' as const, holdSlot: null, updatedAt: deps.now() }
  const uses = deps.db.orm.coupon_uses
  const held = await uses.where({ orderId, state: 'HELD' }).update(used)
  if (held) return { late: held.late }
  return {
    late:
      (await uses.where({ orderId, state: 'RELEASED' }).update({ ...used, late: true })) !== null,
  }
}

function findUse({ db }: Uses<'db'>, orderId: string): Promise<Use | null> {
  return Promise.resolve(db.orm.coupon_uses.where({ orderId }).first())
}

function requireKept({ state }: Use): void {
  if (state === 'RELEASED') throw new DomainError('ORDER_CLOSED')
}
