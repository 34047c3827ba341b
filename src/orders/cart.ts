import { createHash } from 'node:crypto'
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import type { Actor } from '../auth/sessions.ts'
import { bucketKey, requireAttempt, uncountAttempts } from '../auth/throttle.ts'
import { CouponCode } from '../coupons/code.ts'
import { discountsOf, isUsable, type CouponDocument } from '../coupons/discounts.ts'
import { oid, type Stored } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError, refuseInput, type Issue } from '../errors.ts'
import { Id, MAX_LINES, orNamed } from '../fields.ts'
import { accessEndOf, liveGrants } from '../learning/access/enrollment.ts'
import { sumOf } from '../money.ts'
import type { OrderLine } from './order.ts'
import { requireSold, type SoldCourse } from './sold-courses.ts'

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
 * INVALID_INPUT for a mix of currencies, COUPON_INVALID, TOO_MANY_REQUESTS for guessed codes, ACCESS_ENDED for what
 * would cost nothing and a person has ended, and AMOUNT_TOO_SMALL.
 */
export async function priceCart(
  deps: Uses<'db' | 'now' | 'gateways' | 'settings'>,
  actor: Actor,
  { courseIds, couponCode }: NewOrder,
): Promise<Cart> {
  const ids = [...new Set(courseIds)].sort()
  if (ids.length === 0) throw new DomainError('EMPTY_CART')
  const courses = await requireSold(deps, ids)
  if (courses.some(({ ownerId }) => ownerId === actor.id)) throw new DomainError('OWN_COURSE')
  const enrollments = await requireNotEnrolled(deps, actor, ids)
  const currency = courses[0]?.currency ?? 'INR'
  if (courses.some((course) => course.currency !== currency))
    refuseInput('courseIds', 'are sold in different currencies')
  const priced = courses.map(({ id, pricePaise }) => ({ courseId: id, listPaise: pricePaise }))
  const coupon =
    couponCode === undefined
      ? null
      : await limitCodeAttempts(deps, actor, () => requireCoupon(deps, couponCode, priced))
  const discounts = coupon ? discountsOf(coupon, priced) : []
  const lines = courses.map((course, at) =>
    lineOf(deps, course, { at, discountPaise: discounts[at] ?? 0 }),
  )
  refuseBarred(enrollments, lines)
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

function lineOf(
  { settings }: Uses<'settings'>,
  { id: courseId, title, pricePaise: listPaise, ...course }: SoldCourse,
  { at, discountPaise }: { at: number; discountPaise: number },
): OrderLine {
  const { refundDays, refundMaxPercent, lessonCount } = course
  const { sac, gstPercent: usual } = settings.seller
  const terms = { refundDays, refundMaxPercent, lessonCount }
  const tax = { gstPercent: course.gstPercent ?? usual, sac }
  const amountPaise = listPaise - discountPaise
  return { no: at + 1, courseId, title, listPaise, discountPaise, amountPaise, ...terms, ...tax }
}

/** A grant that ends some day is no reason not to buy. */
async function requireNotEnrolled(
  { db, now }: Uses<'db' | 'now'>,
  actor: Actor,
  ids: string[],
): Promise<Stored<'enrollments'>[]> {
  const enrollments = await db.orm.enrollments
    .where({ userId: actor.id })
    .where(MongoFieldFilter.in('courseId', ids.map(oid)))
    .all()
  const held = enrollments.filter(({ grants }) => {
    const live = liveGrants(grants, now())
    return live.length > 0 && accessEndOf(live) === null
  })
  if (held.length === 0) return enrollments
  throw new DomainError('ALREADY_ENROLLED', { issues: issuesOf(held) })
}

/** Told early; the grant itself is decided by the write that adds it. */
function refuseBarred(
  enrollments: readonly Stored<'enrollments'>[],
  lines: readonly OrderLine[],
): void {
  const free = new Set(lines.filter((line) => line.amountPaise === 0).map((line) => line.courseId))
  const barred = enrollments.filter(({ courseId, barredAt }) => barredAt && free.has(courseId))
  if (barred.length > 0) throw new DomainError('ACCESS_ENDED', { issues: issuesOf(barred) })
}

function issuesOf(enrollments: readonly { courseId: string }[]): Issue[] {
  return enrollments.map(({ courseId }) => ({ path: 'courseIds', message: courseId }))
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
 * Names the one open order that a buyer can have for a cart: two tabs share it. Prices, terms and rates of tax are
 * part of it, so that nobody is handed an order at one that no longer stands.
 */
export function openKeyOf(userId: string, { lines, currency, coupon }: Cart): string {
  const parts = lines.map(({ courseId, amountPaise, refundDays, refundMaxPercent, gstPercent }) =>
    [courseId, amountPaise, refundDays, refundMaxPercent, gstPercent ?? ''].join(':'),
  )
  return createHash('sha256')
    .update([userId, currency, coupon?.code ?? '', ...parts].join('|'))
    .digest('hex')
}
