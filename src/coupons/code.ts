import { z } from 'zod'

/** As printed or typed: case and blanks around it do not matter. */
export const CouponCode = z
  .string()
  .max(60)
  .trim()
  .toUpperCase()
  .regex(/^[A-Z0-9-]{3,40}$/, 'is not a coupon code')
