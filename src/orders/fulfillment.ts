// The one way from a captured payment to open courses. The browser's answer, the webhook and the reconciler all
// end here; it may run twice, or at once, or die between any two writes, and be begun again.
import { grantUnlessHeld } from '../learning/grants.ts'
import { settleUse } from './coupon-holds.ts'
import { issueInvoice } from './invoices.ts'
import { alignAccess, endedLines, grantFor } from './line-access.ts'
import { moveOrder, noteOrder } from './moves.ts'
import {
  linesOf,
  requireOrder,
  type OrderDocument,
  type PaymentDocument,
  type Till,
} from './order.ts'
import { findOrderOf } from './order-of.ts'
import { mailReceipt, mailReview } from './order-mails.ts'
import { quarantine, recordPayment, type Via } from './payments.ts'
import type { RazorpayPayment } from './razorpay-shapes.ts'
import { driveRefund } from './refund-drive.ts'
import { LEAST_REFUND, openRefund } from './refund-open.ts'

/** What a payment came to: `waiting` is not captured (yet), `aside` is for an administrator to see. */
export type Settled = 'fulfilled' | 'waiting' | 'aside' | 'refunded'

/** Takes in what Razorpay says of a payment and does everything that follows from it. */
export async function settlePayment(deps: Till, seen: RazorpayPayment, via: Via): Promise<Settled> {
  const order = await findOrderOf(deps, seen)
  const { payment, isNews } = await recordPayment(deps, seen, { via, orderId: order?._id ?? null })
  if (order && isNews) await noteOrder(deps, order._id, newsOf(seen, via))
  if (seen.status !== 'captured' || payment.status !== 'captured') return 'waiting'
  if (!order) {
    await quarantine(deps, seen.id, 'belongs to no order of ours')
    return 'aside'
  }
  const mismatch = mismatchOf(order, seen)
  if (mismatch !== null) return setAside(deps, order, { payment, reason: mismatch })
  if (!(await claimOrder(deps, order, { payment, via }))) {
    await refundTwin(deps, order, payment)
    return 'refunded'
  }
  await fulfill(deps, order._id)
  return 'fulfilled'
}

function newsOf({ id, status, errorReason }: RazorpayPayment, via: Via) {
  const why = errorReason === null ? '' : `: ${errorReason}`
  return { event: `payment ${status}`, detail: `${id} by ${via}${why}` }
}

function mismatchOf(order: OrderDocument, seen: RazorpayPayment): string | null {
  if (seen.currency !== order.currency) return `paid in ${seen.currency}, not ${order.currency}`
  if (seen.amountPaise !== order.amountPaise)
    return `paid ${seen.amountPaise} paise, not ${order.amountPaise}`
  return null
}

async function setAside(
  deps: Till,
  order: OrderDocument,
  { payment, reason }: { payment: PaymentDocument; reason: string },
): Promise<Settled> {
  await quarantine(deps, payment.razorpayPaymentId, reason)
  await moveOrder(deps, {
    id: order._id,
    from: ['CREATED', 'EXPIRED'],
    set: { status: 'REVIEW', reviewReason: reason },
    unset: ['openKey'],
    note: { event: 'set aside', detail: `${payment.razorpayPaymentId}: ${reason}` },
  })
  await mailReview(deps, order._id, reason)
  return 'aside'
}

/** True when this payment holds the order, now or already. A right payment also ends a review. */
async function claimOrder(
  deps: Till,
  order: OrderDocument,
  { payment, via }: { payment: PaymentDocument; via: Via },
): Promise<boolean> {
  const paymentId = payment.razorpayPaymentId
  const claimed = await moveOrder(deps, {
    id: order._id,
    from: ['CREATED', 'EXPIRED', 'REVIEW'],
    where: { paymentId: null },
    set: { status: 'PAID', paymentId, paidAt: deps.now() },
    unset: ['openKey', 'reviewReason'],
    note: { event: 'paid', detail: `${paymentId} by ${via}` },
  })
  return claimed || (await requireOrder(deps, order._id)).paymentId === paymentId
}

/** A second payment for the same order goes back whole, under a key of its own. */
async function refundTwin(
  deps: Till,
  order: OrderDocument,
  payment: PaymentDocument,
): Promise<void> {
  const refund = await openRefund(deps, {
    key: `dup-${payment.razorpayPaymentId}`,
    orderId: order._id,
    paymentId: payment.razorpayPaymentId,
    amountPaise: payment.amountPaise,
    currency: payment.currency,
    lineNos: [],
    cause: 'duplicate',
    reason: 'the order was paid already',
  })
  if (refund.status === 'REQUESTED' && refund.attempts === 0) await driveRefund(deps, refund._id)
}

/** From PAID to FULFILLED, from wherever an earlier run was stopped. */
export async function fulfill(deps: Till, orderId: string): Promise<void> {
  const order = await requireOrder(deps, orderId)
  if (order.status !== 'PAID') return
  const twins = await grantLines(deps, order)
  await alignAccess(deps, orderId, { mayAdd: true })
  await settleUse(deps, order)
  await issueInvoice(deps, order)
  await mailReceipt(deps, order)
  await moveOrder(deps, {
    id: orderId,
    from: ['PAID'],
    set: { status: 'FULFILLED', fulfilledAt: deps.now() },
    note: { event: 'fulfilled' },
  })
  for (const refundId of twins) await driveRefund(deps, refundId)
}

/** Opens each line, or opens the refund of those the buyer holds already, and answers these refunds. */
async function grantLines(deps: Till, order: OrderDocument): Promise<string[]> {
  const ended = await endedLines(deps, order)
  const twins: string[] = []
  for (const line of linesOf(order)) {
    if (ended.has(line.no)) continue
    const whose = { userId: order.userId, courseId: line.courseId }
    if (await grantUnlessHeld(deps, { ...whose, grant: grantFor(order, line) })) continue
    // Razorpay gives back no less than a rupee.
    if (!order.paymentId || line.amountPaise < LEAST_REFUND) continue
    const refund = await openRefund(deps, {
      key: `dup-${order._id}-${line.no}`,
      orderId: order._id,
      paymentId: order.paymentId,
      amountPaise: line.amountPaise,
      currency: order.currency,
      lineNos: [line.no],
      cause: 'duplicate',
      reason: 'the buyer had this course already',
    })
    twins.push(refund._id)
  }
  return twins
}
