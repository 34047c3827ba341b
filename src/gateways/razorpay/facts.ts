// What Razorpay answers, in the port's words.
import type { GatewayDispute, GatewayOrder, GatewayPayment, GatewayRefund } from '../payments.ts'
import { NAME } from './name.ts'
import type { RazorpayDispute, RazorpayOrder, RazorpayPayment, RazorpayRefund } from './shapes.ts'

/** Its receipt is our order's id. */
export function orderFact({ id, amountPaise, currency, receipt }: RazorpayOrder): GatewayOrder {
  return { gateway: NAME, id, amountPaise, currency, reference: receipt }
}

/** `askedAt` stands in for a time that Razorpay does not tell. */
export type FactOf<From, To> = (from: From, askedAt: Date) => To

// https://razorpay.com/docs/sg/payments/payment-gateway/customer-fee-bearer/; without that feature nothing is told.
const BEARERS: Record<string, 'buyer' | 'seller'> = { customer: 'buyer', platform: 'seller' }

/**
 * `pending` is a bank transfer under way: nothing has come, and nothing has failed. When it was captured is not
 * told: that it was made is what a buyer calls paying.
 */
export const paymentFact: FactOf<RazorpayPayment, GatewayPayment> = (payment, askedAt) => ({
  gateway: NAME,
  id: payment.id,
  orderId: payment.orderId,
  amountPaise: payment.amountPaise,
  feePaise: payment.feePaise,
  feeBearer: BEARERS[payment.feeBearer ?? ''] ?? null,
  currency: payment.currency,
  status: payment.status === 'pending' ? 'created' : payment.status,
  method: payment.method,
  amountRefundedPaise: payment.amountRefundedPaise,
  errorReason: payment.errorReason,
  createdAt: payment.createdAt ?? askedAt,
  capturedAt: null,
})

/** Its receipt is the key we asked with; in the dashboard people write there what they like, or nothing. */
export const refundFact: FactOf<RazorpayRefund, GatewayRefund> = (refund, askedAt) => {
  const { id, paymentId, amountPaise, currency, status, receipt: key } = refund
  const createdAt = refund.createdAt ?? askedAt
  return { gateway: NAME, id, paymentId, amountPaise, currency, status, key, createdAt }
}

export const disputeFact: FactOf<RazorpayDispute, GatewayDispute> = (dispute, askedAt) => ({
  gateway: NAME,
  id: dispute.id,
  paymentId: dispute.paymentId,
  amountPaise: takenBy(dispute),
  currency: dispute.currency,
  status: dispute.status,
  phase: dispute.phase ?? 'a phase that is new',
  reasonCode: dispute.reasonCode,
  respondBy: dispute.respondBy,
  createdAt: dispute.createdAt ?? askedAt,
})

// What is deducted stays 0 until a dispute is lost, and may be less than was disputed.
function takenBy({ status, amountPaise, deductedPaise }: RazorpayDispute): number {
  const isTold = status === 'lost' && deductedPaise > 0
  return isTold ? Math.min(deductedPaise, amountPaise) : amountPaise
}
