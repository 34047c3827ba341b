// Whether what an order was opened on could be had today as well. The answer is mailed to its buyer, so it holds no
// word that anybody chose.
import { isUsable } from '../coupons/discounts.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { linesOf, type OrderDocument } from './order.ts'
import { requireSold, type SoldCourse } from './sold-courses.ts'

/** Why it does not stand any more, in words for the buyer; null where every course and its coupon still do. */
export async function offerFault(
  deps: Uses<'db' | 'now'>,
  order: OrderDocument,
): Promise<string | null> {
  const lines = linesOf(order)
  const courses = await findSold(
    deps,
    lines.map(({ courseId }) => courseId),
  )
  if (!courses) return 'it is not on sale any more'
  for (const { courseId, listPaise } of lines) {
    const course = courses.find(({ id }) => id === courseId)
    if (course?.currency !== order.currency || course.pricePaise > listPaise)
      return 'the price has gone up since'
  }
  if (!order.couponCode) return null
  const coupon = await deps.db.orm.coupons.where({ code: order.couponCode }).first()
  const isStanding = coupon !== null && isUsable(coupon, lines, deps.now())
  return isStanding ? null : 'its coupon is not valid any more'
}

/** Null where one of them is not on sale. */
async function findSold(deps: Uses<'db'>, ids: string[]): Promise<SoldCourse[] | null> {
  try {
    return await requireSold(deps, [...new Set(ids)])
  } catch (error) {
    if (error instanceof DomainError) return null
    throw error
  }
}
