import { z } from 'zod'
import type { Actor } from '../../auth/sessions.ts'
import { DomainError } from '../../errors.ts'
import { Id } from '../../fields.ts'
import { requireOwnOrder, showOrder, type Order } from '../../orders/order.ts'
import { noteOnce } from '../../orders/transitions.ts'
import type { Till } from '../deps.ts'
import { gatewayDown } from '../gateway-down.ts'
import { settlePayment } from '../settlement/settle-payment.ts'

/** The three fields checkout.js hands to the browser, and which order they are for. */
export const CheckoutAnswer = z.object({
  orderId: Id,
  razorpay_payment_id: z.string().regex(/^pay_[A-Za-z0-9]{14}$/, 'is not a payment id'),
  razorpay_order_id: z.string().regex(/^order_[A-Za-z0-9]{14}$/, 'is not an order id'),
  razorpay_signature: z.string().max(200),
})
export type CheckoutAnswer = z.infer<typeof CheckoutAnswer>

/**
 * A valid signature proves only that Razorpay made the pair: it has no user, amount or time in it. So the order
 * is the caller's own, and the payment is fetched and compared. Not captured yet, the order stays as it is.
 */
export async function verifyPayment(
  deps: Till,
  actor: Actor,
  input: CheckoutAnswer,
): Promise<Order> {
  const order = await requireOwnOrder(deps, actor, input.orderId)
  const { razorpay_payment_id: paymentId, razorpay_signature: signature } = input
  const isRight =
    order.razorpayOrderId === input.razorpay_order_id &&
    deps.razorpay.isCheckoutSignature(input.razorpay_order_id, paymentId, signature)
  if (!isRight) {
    await noteOnce(deps, order._id, { event: 'signature refused' })
    throw new DomainError('SIGNATURE_INVALID')
  }
  if (order.status === 'FULFILLED' && order.paymentId === paymentId) {
    return showOrder(deps, order._id)
  }
  try {
    const payment = await deps.razorpay.fetchPayment(paymentId)
    if (payment.orderId !== order.razorpayOrderId) throw new DomainError('PAYMENT_MISMATCH')
    const settled = await settlePayment(deps, payment, 'verify')
    if (settled === 'aside') throw new DomainError('PAYMENT_MISMATCH')
  } catch (failure) {
    throw gatewayDown(deps, failure)
  }
  return showOrder(deps, order._id)
}
