// What Razorpay answers, in the port's words.
import type { GatewayDispute, GatewayOrder, GatewayPayment, GatewayRefund } from '../payments.ts'
import type { RazorpayDispute, RazorpayOrder, RazorpayPayment, RazorpayRefund } from './shapes.ts'

/** `gateway` of every fact that comes from here; stored, so never to be renamed. */
export const NAME = 'razorpay'

/** Its receipt is our order's id. */
export function orderFact({ id, amountPaise, currency, receipt }: RazorpayOrder): GatewayOrder {
  return { gateway: NAME, id, amountPaise, currency, reference: receipt }
}

/** `pending` is a bank transfer under way: nothing has come, and nothing has failed. */
export function paymentFact(payment: RazorpayPayment): GatewayPayment {
  return {
    gateway: NAME,
    id: payment.id,
    orderId: payment.orderId,
    amountPaise: payment.amountPaise,
    currency: payment.currency,
    status: payment.status === 'pending' ? 'created' : payment.status,
    method: payment.method,
    amountRefundedPaise: payment.amountRefundedPaise,
    errorReason: payment.errorReason,
    createdAt: payment.createdAt,
  }
}

/** Its receipt is the key we asked with; in the dashboard people write there what they like, or nothing. */
export function refundFact(refund: RazorpayRefund): GatewayRefund {
  const { id, paymentId, amountPaise, currency, status, receipt, createdAt } = refund
  return { gateway: NAME, id, paymentId, amountPaise, currency, status, key: receipt, createdAt }
}

/** `amount_deducted` is left out: it stays 0 until a dispute is lost. */
export function disputeFact(dispute: RazorpayDispute): GatewayDispute {
  return {
    gateway: NAME,
    id: dispute.id,
    paymentId: dispute.paymentId,
    amountPaise: dispute.amountPaise,
    currency: dispute.currency,
    status: dispute.status,
    phase: dispute.phase,
    reasonCode: dispute.reasonCode,
    respondBy: dispute.respondBy,
    createdAt: dispute.createdAt,
  }
}
