// Money for an order whose time was over. It is taken within a short grace, and afterwards while the order could be
// opened again on the same terms; any other goes back at once, and its buyer reads why. Which of the two is written
// on the order in one conditional write: a payment that was refused can never claim it, nor the other way round.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { keepUse } from '../../coupons/uses.ts'
import type { Uses } from '../../deps.ts'
import type { GatewayPayment } from '../../gateways/payments.ts'
import { expire, graceEndOf } from '../../orders/expiry.ts'
import { requireOrder, type OrderDocument } from '../../orders/order.ts'
import { offerFault } from '../../orders/standing-offer.ts'
import { transitionOrder } from '../../orders/transitions.ts'
import { gatewayOf } from '../deps.ts'
import type { PaymentDocument } from '../record/payments.ts'
import { isCapturable } from './capture.ts'

type Needs = Uses<'db' | 'now' | 'settings'>

type Paid = { payment: PaymentDocument; seen: GatewayPayment }

/** `lateReason` is null for a payment that came in time. */
export type Verdict =
  { isTaken: true; lateReason: string | null } | { isTaken: false; fault: string }

/**
 * A payment that had failed before and is money now was not there in time, whatever time the gateway says it began
 * at. Noted before it is recorded as money, since afterwards nothing tells.
 */
export async function noteTurn(
  { db, now }: Uses<'db' | 'now'>,
  { expiresAt, paymentId }: OrderDocument,
  seen: GatewayPayment,
): Promise<void> {
  if (paymentId || expiresAt > now()) return
  if (seen.status !== 'authorized' && seen.status !== 'captured') return
  await db.orm.payments
    .where({ gateway: seen.gateway, gatewayPaymentId: seen.id, status: 'failed' })
    .where(MongoFieldFilter.isNull('turnedAt'))
    .update({ turnedAt: now() })
}

/** Whether this payment may still buy this order; where it may, the order has its coupon's use. */
export async function judge(
  deps: Needs,
  order: OrderDocument,
  { payment, seen }: Paid,
): Promise<Verdict> {
  if (payment.review?.decision === 'accepted') return acceptedBy(deps, order)
  const paidAt = payment.turnedAt ?? seen.createdAt
  const isOver = deps.now() > order.expiresAt
  if (paidAt > graceEndOf(deps, order)) {
    const fault = await offerFault(deps, order)
    if (fault !== null) return { isTaken: false, fault }
  }
  // While it is open nobody takes its coupon away.
  if (order.couponCode && order.status !== 'CREATED') {
    const buyer = { orderId: order._id, userId: order.userId }
    if (!(await keepUse(deps, order.couponCode, buyer)))
      return { isTaken: false, fault: 'its coupon is used up' }
  }
  return { isTaken: true, lateReason: isOver ? reasonOf(deps, order, paidAt) : null }
}

/** What an administrator has decided to take is taken whenever it came, beyond its coupon's limits if need be. */
async function acceptedBy(deps: Needs, order: OrderDocument): Promise<Verdict> {
  if (order.couponCode && order.status !== 'CREATED') {
    const buyer = { orderId: order._id, userId: order.userId }
    await keepUse(deps, order.couponCode, { ...buyer, beyondLimits: true })
  }
  return { isTaken: true, lateReason: 'accepted by an administrator' }
}

function reasonOf(deps: Needs, order: OrderDocument, paidAt: Date): string {
  if (paidAt <= order.expiresAt) return 'paid in time, heard of later'
  return paidAt <= graceEndOf(deps, order) ? 'within the grace' : 'its offer still stood'
}

const Refused = z.record(z.string(), z.string()).catch({})

/** Why this payment was refused, in words for the buyer; null where it was not. */
export function refusalOf(
  { refusedPayments }: OrderDocument,
  { _id }: Pick<PaymentDocument, '_id'>,
): string | null {
  return Refused.parse(refusedPayments ?? {})[_id] ?? null
}

/** What must be so on the order for this payment to claim it. */
export function notRefused({ _id }: PaymentDocument): Record<string, null> {
  return { [`refusedPayments.${_id}`]: null }
}

/** Refuses it once and for all, unless the order is paid by now: whoever asks reads the order again. */
export async function refuse(
  deps: Needs,
  order: OrderDocument,
  { payment, fault }: { payment: PaymentDocument; fault: string },
): Promise<void> {
  if (order.status === 'CREATED') await expire(deps, order)
  await transitionOrder(deps, {
    id: order._id,
    from: ['EXPIRED', 'REVIEW'],
    where: { paymentId: null, ...notRefused(payment) },
    set: { [`refusedPayments.${payment._id}`]: fault },
    note: {
      event: 'late payment refused',
      detail: `it came after the order had closed, and ${fault}`,
    },
  })
}

const MAX_PASSES = 4

/**
 * Whether an authorized payment came too late to be taken. Where the gateway takes the money by itself it is judged
 * then, and what is refused goes back.
 */
export async function isTooLateToCapture(
  deps: Needs & Uses<'gateways'>,
  read: OrderDocument,
  { payment, seen }: Paid,
): Promise<boolean> {
  if (gatewayOf(deps, seen).capturesByItself || !isCapturable(read, seen)) return false
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const order = pass === 0 ? read : await requireOrder(deps, read._id)
    if (order.paymentId) return false
    if (refusalOf(order, payment) !== null) return true
    const verdict = await judge(deps, order, { payment, seen })
    if (verdict.isTaken) return false
    await refuse(deps, order, { payment, fault: verdict.fault })
  }
  return true
}
