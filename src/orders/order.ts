import type { Stored } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DAY_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'
import { sumOf } from '../money.ts'
import { isOpenDispute } from './disputed.ts'
import {
  type Refund,
  type RefundDocument,
  standingRefunds,
  refundsOf,
  publicRefund,
} from './refunded.ts'

export type OrderStatus = 'CREATED' | 'PAID' | 'FULFILLED' | 'EXPIRED' | 'REVIEW'

export type OrderDocument = Stored<'orders'>

/** A course as it was sold. What its author changes later is no part of the sale. */
export type OrderLine = {
  no: number
  courseId: string
  title: string
  listPaise: number
  discountPaise: number
  amountPaise: number
  /** How long, from when it was paid, the buyer may have the money back without asking anybody. */
  refundDays: number
  /** And how much of the lessons sold, in per cent, they may have had by then. */
  refundMaxPercent: number
  lessonCount: number
  /** Of GST within the amount, and the services accounting code; null on orders made before they were written. */
  gstPercent: number | null
  sac: string | null
}

/** Null until it is paid, and where there is nothing to give back. */
export type SoldLine = OrderLine & { refundUntil: Date | null }

/** `refundedPaise` counts what is refunded or on its way. It may be paid until `expiresAt`. */
export type Order = {
  id: string
  status: OrderStatus
  currency: string
  amountPaise: number
  discountPaise: number
  refundedPaise: number
  couponCode: string | null
  lines: SoldLine[]
  createdAt: Date
  expiresAt: Date
  paidAt: Date | null
  fulfilledAt: Date | null
}

export type OrderDetails = Order & {
  paymentId: string | null
  reviewReason: string | null
  isDisputed: boolean
  refunds: Refund[]
  timeline: { at: Date; event: string; detail: string | null }[]
}

/** The lines as they were sold, in paise. */
export function linesOf(order: Pick<OrderDocument, 'lines'>): OrderLine[] {
  return order.lines.map((line) => ({
    no: line.no,
    courseId: line.courseId,
    title: line.title,
    listPaise: line.listPaise,
    discountPaise: line.discountPaise,
    amountPaise: line.amountPaise,
    refundDays: line.refundDays,
    refundMaxPercent: line.refundMaxPercent,
    lessonCount: line.lessonCount,
    gstPercent: line.gstPercent ?? null,
    sac: line.sac ?? null,
  }))
}

/** The last moment at which the buyer can ask for the money of this line; null where there is none to ask for. */
export function refundUntilOf(
  { paidAt, paymentId }: Pick<OrderDocument, 'paidAt' | 'paymentId'>,
  { amountPaise, refundDays }: OrderLine,
): Date | null {
  if (!paidAt || !paymentId || amountPaise === 0) return null
  return new Date(paidAt.getTime() + refundDays * DAY_MS)
}

/** An order as its buyer sees it. `refunds` are those of this order. */
export function publicOrder(order: OrderDocument, refunds: readonly RefundDocument[]): Order {
  return {
    id: order._id,
    status: order.status,
    currency: order.currency,
    amountPaise: order.amountPaise,
    discountPaise: order.discountPaise,
    refundedPaise: sumOf(standingRefunds(refunds, order.paymentId)),
    couponCode: order.couponCode ?? null,
    lines: linesOf(order).map((line) => ({ ...line, refundUntil: refundUntilOf(order, line) })),
    createdAt: order.createdAt,
    expiresAt: order.expiresAt,
    paidAt: order.paidAt ?? null,
    fulfilledAt: order.fulfilledAt ?? null,
  }
}

/** Throws NOT_FOUND. */
export async function requireOrder({ db }: Uses<'db'>, id: string): Promise<OrderDocument> {
  const order = await db.orm.orders.where({ _id: id }).first()
  if (!order) throw new DomainError('NOT_FOUND')
  return order
}

/** The actor's own order; anybody else's reads as not there. Throws NOT_FOUND. */
export async function requireOwnOrder(
  { db }: Uses<'db'>,
  actor: { id: string },
  id: string,
): Promise<OrderDocument> {
  const order = await db.orm.orders.where({ _id: id }).first()
  if (order?.userId !== actor.id) throw new DomainError('NOT_FOUND', { isDenied: order !== null })
  return order
}

/** The order as it stands, with what was given back of it. */
export async function showOrder(deps: Uses<'db'>, id: string): Promise<Order> {
  const [order, refunds] = await Promise.all([requireOrder(deps, id), refundsOf(deps, id)])
  return publicOrder(order, refunds)
}

/**
 * The order with its refunds, disputes and timeline, in the words in which they were written down: for
 * administrators (see `toldToBuyer`). Throws NOT_FOUND.
 */
export async function showOrderDetails(deps: Uses<'db'>, id: string): Promise<OrderDetails> {
  const [order, refunds, disputes] = await Promise.all([
    requireOrder(deps, id),
    refundsOf(deps, id),
    deps.db.orm.disputes.where({ orderId: id }).all(),
  ])
  return {
    ...publicOrder(order, refunds),
    paymentId: order.paymentId ?? null,
    reviewReason: order.reviewReason ?? null,
    isDisputed: disputes.some(({ status }) => isOpenDispute(status)),
    refunds: refunds.map(publicRefund),
    timeline: order.timeline.map(({ at, event, detail }) => ({
      at,
      event,
      detail: detail ?? null,
    })),
  }
}
