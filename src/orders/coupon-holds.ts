// A use of a coupon is one document, and its unique keys are the limits: a place among the coupon's uses, a slot
// among the buyer's. Fifty buyers at once find exactly as many places as there are, and no counter can drift.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { isDuplicateKey } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import type { CouponDocument } from './coupon-rules.ts'
import { noteOrder } from './moves.ts'
import type { OrderDocument } from './order.ts'

type Stock = Uses<'db' | 'now'>
type Buyer = { orderId: string; userId: string }
type Places = { place: number | null; slot: number | null }

// Each conflict means that another buyer got a place.
const MAX_TRIES = 200

/** Holds a use for this order; again, it is held once. Throws COUPON_USED_UP when there is none left. */
export async function holdUse(deps: Stock, coupon: CouponDocument, buyer: Buyer): Promise<void> {
  const at = deps.now()
  for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
    const held = await findUse(deps, buyer.orderId)
    if (held?.state === 'RELEASED') throw new DomainError('ORDER_CLOSED')
    if (held) return
    const places = await freePlaces(deps, coupon, buyer.userId)
    if (!places) {
      // The last place may have gone to this very order, opened in two tabs.
      if (await findUse(deps, buyer.orderId)) continue
      throw new DomainError('COUPON_USED_UP')
    }
    try {
      const { orderId, userId } = buyer
      await deps.db.orm.coupon_uses.create({
        code: coupon.code,
        userId,
        orderId,
        ...places,
        state: 'HELD',
        createdAt: at,
        updatedAt: at,
      })
      return
    } catch (error) {
      if (!isDuplicateKey(error)) throw error
    }
  }
  throw new DomainError('COUPON_USED_UP')
}

/** Null when the coupon, or this buyer's share of it, is used up. */
async function freePlaces(
  { db }: Stock,
  coupon: CouponDocument,
  userId: string,
): Promise<Places | null> {
  const { code, maxTotal, maxPerUser } = coupon
  let place: number | null = null
  let slot: number | null = null
  if (typeof maxPerUser === 'number') {
    const own = await db.orm.coupon_uses.where({ code, userId }).select('slot').all()
    slot = anyFree(
      maxPerUser,
      own.map((use) => use.slot),
    )
    if (slot === null) return null
  }
  if (typeof maxTotal === 'number') {
    const all = await db.orm.coupon_uses
      .where({ code })
      .where(MongoFieldFilter.isNotNull('place'))
      .select('place')
      .all()
    place = anyFree(
      maxTotal,
      all.map((use) => use.place),
    )
    if (place === null) return null
  }
  return { place, slot }
}

/** A random one, so that buyers who come at once rarely reach for the same. */
function anyFree(count: number, used: readonly (number | null)[]): number | null {
  const taken = new Set(used)
  const free = Array.from({ length: count }, (_, at) => at).filter((at) => !taken.has(at))
  return free[Math.floor(Math.random() * free.length)] ?? null
}

/** Turns the hold of a paid order into a use. A released one is taken again, since its price was paid. */
export async function settleUse(deps: Stock, order: OrderDocument): Promise<void> {
  if (!order.couponCode) return
  const use = deps.db.orm.coupon_uses.where({ orderId: order._id })
  const settled = await use
    .where(MongoFieldFilter.in('state', ['HELD', 'RELEASED']))
    .update({ state: 'USED', updatedAt: deps.now() })
  const stored = settled ?? (await findUse(deps, order._id))
  if (stored && !hasPlace(stored)) await takePlaceAgain(deps, order, stored.code)
}

// Nobody else can have been sold the place of a late payer but by the coupon's own limit; when that is used up,
// the payment is honoured all the same and the order says so.
async function takePlaceAgain(deps: Stock, order: OrderDocument, code: string): Promise<void> {
  const coupon = await deps.db.orm.coupons.where({ code }).first()
  if (!coupon || (typeof coupon.maxTotal !== 'number' && typeof coupon.maxPerUser !== 'number'))
    return
  for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
    const places = await freePlaces(deps, coupon, order.userId)
    if (!places) {
      await noteOrder(deps, order._id, { event: 'coupon over its limit', detail: code })
      return
    }
    try {
      await deps.db.orm.coupon_uses.where({ orderId: order._id }).update(places)
      return
    } catch (error) {
      if (!isDuplicateKey(error)) throw error
    }
  }
}

function hasPlace({ place, slot }: { place: number | null; slot: number | null }): boolean {
  return typeof place === 'number' || typeof slot === 'number'
}

/** Gives back what an order held and did not use. */
export async function releaseUse({ db, now }: Stock, orderId: string): Promise<void> {
  await db.orm.coupon_uses
    .where({ orderId, state: 'HELD' })
    .update((use) => [
      use.state.set('RELEASED'),
      use.place.unset(),
      use.slot.unset(),
      use.updatedAt.set(now()),
    ])
}

function findUse({ db }: Stock, orderId: string) {
  return db.orm.coupon_uses.where({ orderId }).first()
}
