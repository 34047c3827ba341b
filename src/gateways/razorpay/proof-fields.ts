import { z } from 'zod'

/** What checkout.js hands to the browser; here so that an odd field is refused before an order is looked for. */
export const RAZORPAY_FIELDS = {
  razorpay_payment_id: z
    .string()
    .regex(/^pay_[A-Za-z0-9]{14}$/, 'is not a payment id')
    .optional(),
  razorpay_order_id: z
    .string()
    .regex(/^order_[A-Za-z0-9]{14}$/, 'is not an order id')
    .optional(),
  razorpay_signature: z
    .string()
    .regex(/^[\x21-\x7e]{0,200}$/, 'is not a signature')
    .optional(),
}
