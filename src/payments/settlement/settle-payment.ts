// The one way from a captured payment to open courses. The buyer's browser, the gateway's webhook and the reconciler
// all end here; it may run twice, or at once, or die between any two writes, and be begun again.
import type { Uses } from '../../deps.ts'
import type { GatewayPayment } from '../../gateways/payments.ts'
import type { OrderDocument } from '../../orders/order.ts'
import { noteOrder, transitionOrder } from '../../orders/transitions.ts'
import type { PaymentDeps } from '../deps.ts'
import { feeOnTop } from '../record/amounts.ts'
import {
  quarantine,
  recordPayment,
  type PaymentDocument,
  type PaymentSource,
} from '../record/payments.ts'
import { refundRest } from '../refunds/refund-rest.ts'
import { findBuyer, isHere } from './buyer.ts'
import { captureIfAsked } from './capture.ts'
import { claimOrder } from './claim-order.ts'
import { isTooLateToCapture, noteTurn } from './late-payment.ts'
import { mailReview, mailUntaken } from './order-mails.ts'
import { findOrderOf } from './order-of-payment.ts'

/**
 * `waiting`: not captured (yet); `review`: for an administrator to see; `refunded`: it bought nothing; `refused`: it
 * came too late, and is never captured by us.
 */
export type PaymentOutcome = 'fulfilled' | 'waiting' | 'review' | 'refunded' | 'refused'

/** Where whoever asks has read the order already, it is passed on. */
type News = { source: PaymentSource; order?: OrderDocument }

/** Takes in what a gateway says of a payment and does everything that follows from it. Throws GatewayFailure. */
export async function settlePayment(
  deps: PaymentDeps,
  told: GatewayPayment,
  { source, ...known }: News,
): Promise<PaymentOutcome> {
  const order = known.order ?? (await findOrderOf(deps, told))
  if (order) await noteTurn(deps, order, told)
  const first = await recordAndNote(deps, told, { source, order })
  const mayAsk = order !== null && first.status === 'authorized'
  if (mayAsk && (await isTooLateToCapture(deps, order, { payment: first, seen: told }))) {
    await mailUntaken(deps, order, first)
    return 'refused'
  }
  const captured = mayAsk ? await captureIfAsked(deps, order, told) : null
  const seen = captured ?? told
  const payment = captured ? await recordAndNote(deps, captured, { source, order }) : first
  if (seen.status !== 'captured' || payment.status !== 'captured') return 'waiting'
  if (!order) {
    await quarantine(deps, seen.id, 'belongs to no order of ours')
    return 'review'
  }
  const mismatch = mismatchOf(order, seen, payment)
  if (mismatch !== null) return setAside(deps, order, { payment, reason: mismatch })
  const buyer = await findBuyer(deps, order.userId)
  if (!order.paymentId && !isHere(buyer)) {
    await setAside(deps, order, { payment, reason: 'the buyer’s account is deleted' })
    await refundRest(deps, order, {
      payment,
      seen,
      key: 'gone',
      reason: 'the account was deleted',
    })
    return 'refunded'
  }
  return claimOrder(deps, order, { payment, seen, source, buyer })
}

/** Writes the payment down, and into the timeline of its order where that is news. */
async function recordAndNote(
  deps: Uses<'db' | 'now'>,
  seen: GatewayPayment,
  { source, order }: { source: PaymentSource; order: OrderDocument | null },
): Promise<PaymentDocument> {
  const orderId = order?._id ?? null
  const told = seen.feeBearer === 'buyer' ? seen.feePaise : null
  const feePaise = (order ? feeOnTop(order, seen) : told) ?? null
  const { payment, isNews } = await recordPayment(deps, seen, { source, orderId, feePaise })
  if (orderId === null || !isNews) return payment
  const why = seen.errorReason === null ? '' : `: ${seen.errorReason}`
  const detail = `${seen.id} by ${source}${why}`
  await noteOrder(deps, orderId, { event: `payment ${seen.status}`, detail })
  // For the reconciler, which captures what nobody captured: a closed order it would look at in hours only.
  if (seen.status === 'authorized')
    await deps.db.orm.orders.where({ _id: orderId }).update({ dueAt: deps.now() })
  return payment
}

function mismatchOf(
  order: OrderDocument,
  seen: GatewayPayment,
  payment: PaymentDocument,
): string | null {
  if (seen.gateway !== order.gateway || seen.orderId !== order.gatewayOrderId)
    return `paid for another order of ${seen.gateway}`
  if (seen.currency !== order.currency) return `paid in ${seen.currency}, not ${order.currency}`
  if (feeOnTop(order, seen) === null && !isAccepted(payment, seen))
    return `paid ${seen.amountPaise} paise, not ${order.amountPaise}`
  return null
}

async function setAside(
  deps: Uses<'db' | 'now' | 'log'>,
  order: OrderDocument,
  { payment, reason }: { payment: PaymentDocument; reason: string },
): Promise<PaymentOutcome> {
  await quarantine(deps, payment.gatewayPaymentId, reason)
  await transitionOrder(deps, {
    id: order._id,
    from: ['CREATED', 'EXPIRED'],
    set: { status: 'REVIEW', reviewReason: reason },
    note: { event: 'set aside', detail: `${payment.gatewayPaymentId}: ${reason}` },
  })
  await mailReview(deps, order._id, reason)
  return 'review'
}

/** An administrator has taken this very amount for the order's. */
function isAccepted({ review }: PaymentDocument, { amountPaise }: GatewayPayment): boolean {
  return review?.decision === 'accepted' && review.amountPaise === amountPaise
}
