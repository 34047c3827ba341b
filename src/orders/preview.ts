import { z } from 'zod'
import type { Actor } from '../auth/sessions.ts'
import { CouponCode } from '../coupons/code.ts'
import type { Uses } from '../deps.ts'
import { orNamed, Id, MAX_LINES } from '../fields.ts'
import { priceCart } from './cart.ts'
import type { OrderLine } from './order.ts'

/** An order names the code `couponCode`, so a preview of one may too. */
export const CouponPreview = orNamed(
  z.object({ courseIds: z.array(Id).min(1).max(MAX_LINES), code: CouponCode }),
  'code',
  'couponCode',
)
export type CouponPreview = z.infer<typeof CouponPreview>

type Needs = Uses<'db' | 'now' | 'gateways' | 'settings'>

/** What these courses would cost with this coupon; nothing is held. */
export async function previewCoupon(
  deps: Needs,
  actor: Actor,
  { courseIds, code }: CouponPreview,
): Promise<{ lines: OrderLine[]; amountPaise: number; discountPaise: number; currency: string }> {
  const cart = await priceCart(deps, actor, { courseIds, couponCode: code })
  const { lines, amountPaise, discountPaise, currency } = cart
  return { lines, amountPaise, discountPaise, currency }
}
