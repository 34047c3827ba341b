import { createHash } from 'node:crypto'
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import type { Actor } from '../auth/sessions.ts'
import { bucketKey, requireAttempt, uncountAttempts } from '../auth/throttle.ts'
import { CouponCode } from '../coupons/code.ts'
import { discountsOf, isUsable, type CouponDocument } from '../coupons/discounts.ts'
import { oid } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError, refuseInput } from '../errors.ts'
import { Id, MAX_LINES, orNamed } from '../fields.ts'
import { accessEndOf, liveGrants } from '../learning/access/enrollment.ts'
import { sumOf } from '../money.ts'
import type { OrderLine } from './order.ts'

/** Ids and nothing else: prices are ours to say. */
export const NewOrder = orNamed(
  z.object({ courseIds: z.array(Id).max(MAX_LINES), couponCode: CouponCode.optional() }),
  'couponCode',
  'coupon',
)
export type NewOrder = z.infer<typeof NewOrder>

export type Cart = {
  lines: OrderLine[]
  currency: string
  amountPaise: number
  discountPaise: number
  coupon: CouponDocument | null
}

/**
 * What this buyer would pay for these courses now. Throws EMPTY_CART, NOT_FOUND, OWN_COURSE, ALREADY_ENROLLED,
 * INVALID_INPUT for a mix of currencies, COUPON_INVALID, TOO_MANY_REQUESTS for guessed codes and AMOUNT_TOO_SMALL.
 */
export async function priceCart(
  deps: Uses<'db' | 'now' | 'gateways' | 'settings'>,
  actor: Actor,
  { courseIds, couponCode }: NewOrder,
): Promise<Cart> {
  const ids = [...new Set(courseIds)].sort()
  if (ids.length === 0) throw new DomainError('EMPTY_CART')
  const courses = await findSold(deps, ids)
  if (courses.some(({ ownerId }) => ownerId === actor.id)) throw new DomainError('OWN_COURSE')
  await refuseEnrolled(deps, actor, ids)
  const currency = courses[0]?.currency ?? 'INR'
  if (courses.some((course) => course.currency !== currency))
    refuseInput('courseIds', 'are sold in different currencies')
  const { sac, gstPercent: usual } = deps.settings.seller
  const priced = courses.map(({ _id, title, pricePaise, gstPercent }) => ({
    courseId: _id,
    title,
    listPaise: pricePaise,
    gstPercent: gstPercent ?? usual,
    sac,
  }))
  const coupon =
    couponCode === undefined
      ? null
      : await limitCodeAttempts(deps, actor, () => requireCoupon(deps, couponCode, priced))
  const discounts = coupon ? discountsOf(coupon, priced) : []
  const lines = priced.map((line, at) => {
    const discountPaise = discounts[at] ?? 0
    return { no: at + 1, ...line, discountPaise, amountPaise: line.listPaise - discountPaise }
  })
  const amountPaise = sumOf(lines)
  requirePayable(deps, amountPaise, currency)
  const discountPaise = lines.reduce((sum, line) => sum + line.discountPaise, 0)
  return { lines, currency, amountPaise, discountPaise, coupon }
}

/** Nothing costs nothing; anything else must be an amount that the gateway takes. */
function requirePayable(
  { gateways }: Uses<'gateways'>,
  amountPaise: number,
  currency: string,
): void {
  if (amountPaise === 0) return
  const limits = gateways.forNewOrders.limits(currency)
  if (!limits) refuseInput('courseIds', 'are sold in a currency that cannot be paid here')
  if (amountPaise < limits.leastChargePaise) throw new DomainError('AMOUNT_TOO_SMALL')
}

async function findSold({ db }: Uses<'db'>, ids: string[]) {
  const courses = await db.orm.courses
    .where({ status: 'PUBLISHED' })
    .where(MongoFieldFilter.in('_id', ids.map(oid)))
    .select('_id', 'ownerId', 'title', 'pricePaise', 'currency', 'gstPercent')
    .orderBy({ _id: 1 })
    .all()
  if (courses.length < ids.length) throw new DomainError('NOT_FOUND')
  return courses
}

/** A grant that ends some day is no reason not to buy. */
async function refuseEnrolled(
  { db, now }: Uses<'db' | 'now'>,
  actor: Actor,
  ids: string[],
): Promise<void> {
  const enrollments = await db.orm.enrollments
    .where({ userId: actor.id })
    .where(MongoFieldFilter.in('courseId', ids.map(oid)))
    .all()
  const held = enrollments.filter(({ grants }) => {
    const live = liveGrants(grants, now())
    return live.length > 0 && accessEndOf(live) === null
  })
  if (held.length === 0) return
  throw new DomainError('ALREADY_ENROLLED', {
    issues: held.map(({ courseId }) => ({ path: 'courseIds', message: courseId })),
  })
}

const CODE_ATTEMPTS = { most: 30, seconds: 15 * 60 }

/** A code is worth money, and short ones are made by hand. Counted before it is looked at; right is no guess. */
async function limitCodeAttempts<T>(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  attempt: () => Promise<T>,
): Promise<T> {
  const key = bucketKey('coupon', actor.id)
  await requireAttempt(deps, { key, ...CODE_ATTEMPTS })
  const result = await attempt()
  await uncountAttempts(deps, [key])
  return result
}

async function requireCoupon(
  { db, now }: Uses<'db' | 'now'>,
  code: string,
  lines: Parameters<typeof isUsable>[1],
): Promise<CouponDocument> {
  const coupon = await db.orm.coupons.where({ code }).first()
  if (!coupon || !isUsable(coupon, lines, now())) throw new DomainError('COUPON_INVALID')
  return coupon
}

/**
 * Names the one open order that a buyer can have for a cart: two tabs share it. Prices and rates of tax are part of
 * it, so that nobody is handed an order at one that no longer stands.
 */
export function openKeyOf(userId: string, { lines, currency, coupon }: Cart): string {
  const parts = lines.map(
    ({ courseId, amountPaise, gstPercent }) => `${courseId}:${amountPaise}:${gstPercent ?? ''}`,
  )
  return createHash('sha256')
    .update([userId, currency, coupon?.code ?? '', ...parts].join('|'))
    .digest('hex')
}
