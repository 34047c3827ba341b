import { DomainError, type Issue } from '../../errors.ts'
import type { CheckoutProof } from '../payments.ts'
import type { Razorpay } from './client.ts'
import { isRazorpayId } from './shapes.ts'

/**
 * What checkout.js handed to the browser: a payment, an order and a signature over the two. Null unless the
 * signature is right and the order is ours to ask about. Throws INVALID_INPUT where a field is missing or odd.
 */
export function readProof(
  razorpay: Razorpay,
  orderId: string,
  { razorpay_payment_id, razorpay_order_id, razorpay_signature }: CheckoutProof,
): { paymentId: string } | null {
  const issues: Issue[] = []
  if (!isRazorpayId('payment', razorpay_payment_id))
    issues.push({ path: 'razorpay_payment_id', message: 'is not a payment id' })
  if (!isRazorpayId('order', razorpay_order_id))
    issues.push({ path: 'razorpay_order_id', message: 'is not an order id' })
  if (razorpay_signature === undefined)
    issues.push({ path: 'razorpay_signature', message: 'is missing' })
  if (issues.length > 0 || razorpay_payment_id === undefined)
    throw new DomainError('INVALID_INPUT', { issues })
  const isRight =
    razorpay_order_id === orderId &&
    razorpay.isCheckoutSignature(orderId, razorpay_payment_id, razorpay_signature)
  return isRight ? { paymentId: razorpay_payment_id } : null
}
