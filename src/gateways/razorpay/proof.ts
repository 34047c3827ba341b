import { DomainError } from '../../errors.ts'
import type { CheckoutProof } from '../payments.ts'
import type { Razorpay } from './client.ts'

/**
 * What checkout.js handed to the browser: a payment, an order and a signature over the two. Null unless the
 * signature is right and the order is ours to ask about. Throws INVALID_INPUT where a field is missing; odd
 * ones were refused before.
 */
export function readProof(
  razorpay: Razorpay,
  orderId: string,
  { razorpay_payment_id, razorpay_order_id, razorpay_signature }: CheckoutProof,
): { paymentId: string } | null {
  const fields = { razorpay_payment_id, razorpay_order_id, razorpay_signature }
  const missing = Object.entries(fields).filter(([, value]) => value === undefined)
  if (missing.length > 0 || razorpay_payment_id === undefined)
    throw new DomainError('INVALID_INPUT', {
      issues: missing.map(([path]) => ({ path, message: 'is missing' })),
    })
  const isRight =
    razorpay_order_id === orderId &&
    razorpay.isCheckoutSignature(orderId, razorpay_payment_id, razorpay_signature)
  return isRight ? { paymentId: razorpay_payment_id } : null
}
