import type { Db } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'

export type OrderStatus = 'CREATED' | 'PAID' | 'FULFILLED' | 'EXPIRED' | 'REVIEW'
export type RefundStatus = 'REQUESTED' | 'PENDING' | 'PROCESSED' | 'FAILED'

export type OrderDocument = NonNullable<Awaited<ReturnType<Db['orm']['orders']['first']>>>
export type PaymentDocument = NonNullable<Awaited<ReturnType<Db['orm']['payments']['first']>>>
export type RefundDocument = NonNullable<Awaited<ReturnType<Db['orm']['refunds']['first']>>>

/** What everything from a captured payment to an open course touches. */
export type Till = Uses<'db' | 'now' | 'razorpay' | 'log' | 'settings'>

export type OrderLine = {
  no: number
  courseId: string
  title: string
  listPaise: number
  discountPaise: number
  amountPaise: number
}

/** `refundedPaise` counts what is refunded or on its way. */
export type Order = {
  id: string
  status: OrderStatus
  currency: string
  amountPaise: number
  discountPaise: number
  refundedPaise: number
  couponCode: string | null
  lines: OrderLine[]
  createdAt: Date
  expiresAt: Date
  paidAt: Date | null
  fulfilledAt: Date | null
}

export type Refund = {
  id: string
  orderId: string | null
  paymentId: string
  amountPaise: number
  currency: string
  lines: number[]
  status: RefundStatus
  cause: string
  reason: string | null
  error: string | null
  createdAt: Date
}

export type OrderDetails = Order & {
  paymentId: string | null
  reviewReason: string | null
  isDisputed: boolean
  refunds: Refund[]
  timeline: { at: Date; event: string; detail: string | null }[]
}

export function linesOf(order: Pick<OrderDocument, 'lines'>): OrderLine[] {
  return order.lines.map(({ no, courseId, title, listPaise, discountPaise, amountPaise }) => ({
    no,
    courseId,
    title,
    listPaise,
    discountPaise,
    amountPaise,
  }))
}

export function publicOrder(order: OrderDocument, refunds: readonly RefundDocument[]): Order {
  return {
    id: order._id,
    status: order.status,
    currency: order.currency,
    amountPaise: order.amountPaise,
    discountPaise: order.discountPaise,
    refundedPaise: sumOf(standing(refunds, order.paymentId)),
    couponCode: order.couponCode ?? null,
    lines: linesOf(order),
    createdAt: order.createdAt,
    expiresAt: order.expiresAt,
    paidAt: order.paidAt ?? null,
    fulfilledAt: order.fulfilledAt ?? null,
  }
}

export function publicRefund(refund: RefundDocument): Refund {
  return {
    id: refund._id,
    orderId: refund.orderId ?? null,
    paymentId: refund.paymentId,
    amountPaise: refund.amountPaise,
    currency: refund.currency,
    lines: refund.lineNos.map(Number),
    status: refund.status,
    cause: refund.cause,
    reason: refund.reason ?? null,
    error: refund.error ?? null,
    createdAt: refund.createdAt,
  }
}

/** Refunds of this payment that took money or still may. */
export function standing(
  refunds: readonly RefundDocument[],
  paymentId: string | null | undefined,
): RefundDocument[] {
  return refunds.filter((refund) => refund.paymentId === paymentId && refund.status !== 'FAILED')
}

export function sumOf(amounts: readonly { amountPaise: number }[]): number {
  return amounts.reduce((sum, { amountPaise }) => sum + amountPaise, 0)
}

export async function requireOrder({ db }: Uses<'db'>, id: string): Promise<OrderDocument> {
  const order = await db.orm.orders.where({ _id: id }).first()
  if (!order) throw new DomainError('NOT_FOUND')
  return order
}

export async function requireOwnOrder(
  { db }: Uses<'db'>,
  actor: { id: string },
  id: string,
): Promise<OrderDocument> {
  const order = await db.orm.orders.where({ _id: id, userId: actor.id }).first()
  if (!order) throw new DomainError('NOT_FOUND')
  return order
}

/** The order as it stands, with what was given back of it. */
export async function showOrder(deps: Uses<'db'>, id: string): Promise<Order> {
  const [order, refunds] = await Promise.all([requireOrder(deps, id), refundsOf(deps, id)])
  return publicOrder(order, refunds)
}

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

export function isOpenDispute(status: string): boolean {
  return status === 'open' || status === 'under_review'
}

function refundsOf({ db }: Uses<'db'>, orderId: string): Promise<RefundDocument[]> {
  return Promise.resolve(db.orm.refunds.where({ orderId }).orderBy({ createdAt: 1 }).all())
}
