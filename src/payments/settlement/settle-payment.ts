// The one way from a captured payment to open courses. The browser's answer, the webhook and the reconciler all
// end here; it may run twice, or at once, or die between any two writes, and be begun again.
import type { RazorpayPayment } from '../../gateways/razorpay/shapes.ts'
import { requireOrder, type OrderDocument } from '../../orders/order.ts'
import { moveOrder, noteOrder } from '../../orders/transitions.ts'
import type { Till } from '../deps.ts'
import { type PaymentDocument, quarantine, recordPayment, type Via } from '../record/payments.ts'
import { driveRefund } from '../refunds/drive.ts'
import { LEAST_REFUND, openRefund } from '../refunds/open.ts'
import { fulfill } from './fulfillment.ts'
import { mailReview } from './order-mails.ts'
import { findOrderOf } from './order-of-payment.ts'

/** What a payment came to: `waiting` is not captured (yet), `aside` is for an administrator to see. */
export type Settled = 'fulfilled' | 'waiting' | 'aside' | 'refunded'

/** Takes in what Razorpay says of a payment and does everything that follows from it. */
export async function settlePayment(deps: Till, seen: RazorpayPayment, via: Via): Promise<Settled> {
  const order = await findOrderOf(deps, seen)
  const { payment, isNews } = await recordPayment(deps, seen, { via, orderId: order?._id ?? null })
  if (order && isNews) await noteOrder(deps, order._id, newsOf(seen, via))
  if (order && isNews && seen.status === 'authorized') await lookSoon(deps, order)
  if (seen.status !== 'captured' || payment.status !== 'captured') return 'waiting'
  if (!order) {
    await quarantine(deps, seen.id, 'belongs to no order of ours')
    return 'aside'
  }
  const mismatch = mismatchOf(order, seen)
  if (mismatch !== null) return setAside(deps, order, { payment, reason: mismatch })
  if (order.paymentId === null && (await isGone(deps, order.userId))) {
    await setAside(deps, order, { payment, reason: 'the buyer’s account is deleted' })
    await giveBack(deps, order, { payment, seen, key: 'gone', reason: 'the account was deleted' })
    return 'refunded'
  }
  if (!(await claimOrder(deps, order, { payment, via }))) {
    await giveBack(deps, order, { payment, seen, key: 'dup', reason: 'the order was paid already' })
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

/** For the sweep, which captures what nobody captured: a closed order it would look at in an hour only. */
async function lookSoon({ db }: Till, { _id }: OrderDocument): Promise<void> {
  await db.orm.orders.where({ _id }).update({ checkedAt: new Date(0) })
}

async function isGone({ db }: Till, userId: string): Promise<boolean> {
  const user = await db.orm.users.where({ _id: userId }).select('deletedAt').first()
  return !user || Boolean(user.deletedAt)
}

type GivenBack = {
  payment: PaymentDocument
  seen: RazorpayPayment
  key: 'dup' | 'gone'
  reason: string
}

/** What is left of a payment that bought nothing goes back, under a key of its own. */
async function giveBack(
  deps: Till,
  order: OrderDocument,
  { payment, seen, key: prefix, reason }: GivenBack,
): Promise<void> {
  const { razorpayPaymentId: paymentId, amountPaise, reservedPaise, currency } = payment
  const key = `${prefix}-${paymentId}`
  // Some of it may have been given back in the dashboard, of which we have not heard yet.
  const left = amountPaise - Math.max(reservedPaise, seen.amountRefundedPaise)
  const known = await deps.db.orm.refunds.where({ key }).first()
  if (!known && left < LEAST_REFUND) return
  const refund =
    known ??
    (await openRefund(deps, {
      key,
      orderId: order._id,
      paymentId,
      amountPaise: left,
      currency,
      lineNos: [],
      cause: 'duplicate',
      reason,
    }))
  if (refund.status === 'REQUESTED' && refund.attempts === 0) await driveRefund(deps, refund._id)
}
