import type { Db } from '../db.ts'
import { shareOut } from '../money.ts'

export type CouponDocument = NonNullable<Awaited<ReturnType<Db['orm']['coupons']['first']>>>

type Priced = { courseId: string; listPaise: number }

/** Whether this coupon may be used on these lines now; its limits are decided where it is held. */
export function isUsable(coupon: CouponDocument, lines: readonly Priced[], now: Date): boolean {
  const { active, startsAt, endsAt, minPaise } = coupon
  if (!active || (startsAt && startsAt > now) || (endsAt && endsAt <= now)) return false
  const eligible = lines.filter(({ courseId }) => isInScope(coupon, courseId))
  return eligible.length > 0 && total(eligible) >= minPaise
}

/** What each line is cheaper by, in whole paise, never more than its price; fractions go to the buyer. */
export function discountsOf(coupon: CouponDocument, lines: readonly Priced[]): number[] {
  const prices = lines.map((line) => (isInScope(coupon, line.courseId) ? line.listPaise : 0))
  if (coupon.kind === 'PERCENT') {
    const percent = Math.min(coupon.value, 100)
    return prices.map((price) => Math.ceil((price * percent) / 100))
  }
  return shareOut(coupon.value, prices)
}

function isInScope({ courseIds }: CouponDocument, courseId: string): boolean {
  return courseIds.length === 0 || courseIds.includes(courseId)
}

function total(lines: readonly Priced[]): number {
  return lines.reduce((sum, { listPaise }) => sum + listPaise, 0)
}
