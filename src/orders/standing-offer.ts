// Whether what an order was opened on could be had today as well. The answer is mailed to its buyer, so it holds no
// word that anybody chose.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { isUsable } from '../coupons/discounts.ts'
import { oid } from '../db.ts'
import type { Uses } from '../deps.ts'
import { linesOf, type OrderDocument } from './order.ts'

/** Why it does not stand any more, in words for the buyer; null where every course and its coupon still do. */
export async function offerFault(
  deps: Uses<'db' | 'now'>,
  order: OrderDocument,
): Promise<string | null> {
  const lines = linesOf(order)
  const courses = await findOnSale(
    deps,
    lines.map(({ courseId }) => courseId),
  )
  for (const { courseId, listPaise } of lines) {
    const course = courses.find(({ _id }) => _id === courseId)
    if (!course) return 'it is not on sale any more'
    if (course.currency !== order.currency || course.pricePaise > listPaise)
      return 'the price has gone up since'
  }
  if (!order.couponCode) return null
  const coupon = await deps.db.orm.coupons.where({ code: order.couponCode }).first()
  const isStanding = coupon !== null && isUsable(coupon, lines, deps.now())
  return isStanding ? null : 'its coupon is not valid any more'
}

function findOnSale({ db }: Uses<'db'>, ids: string[]) {
  return db.orm.courses
    .where({ status: 'PUBLISHED' })
    .where(MongoFieldFilter.in('_id', ids.map(oid)))
    .select('_id', 'pricePaise', 'currency')
    .all()
}
