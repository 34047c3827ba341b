// What a sale promised of refunds is read from its line alone: the course may have changed since.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import type { Uses } from '../../deps.ts'
import { percentConsumed } from '../../learning/progress/consumption.ts'
import { linesOf, type OrderDocument, type OrderLine } from '../../orders/order.ts'
import type { RefundDocument } from '../../orders/refunded.ts'

/** Above the share of the lessons that the line says, or with the certificate, a buyer has had what was paid for. */
export async function hasHadTooMuch(
  { db }: Uses<'db'>,
  { userId, createdAt }: Pick<OrderDocument, 'userId' | 'createdAt'>,
  { courseId, refundMaxPercent, lessonCount }: OrderLine,
): Promise<boolean> {
  const [percent, certificate] = await Promise.all([
    percentConsumed({ db }, userId, { courseId, lessonCount, at: createdAt }),
    db.orm.certificates.where({ userId, courseId }).select('_id').first(),
  ])
  return percent > refundMaxPercent || certificate !== null
}

/** The same for a refund that a buyer has asked for, once it has ended their access: lessons may be opened meanwhile. */
export async function wasOpenedMeanwhile(
  deps: Uses<'db'>,
  { cause, orderId, lineNos }: RefundDocument,
): Promise<boolean> {
  if (cause !== 'student' || !orderId) return false
  const order = await deps.db.orm.orders.where({ _id: orderId }).first()
  const line = order && linesOf(order).find(({ no }) => lineNos.includes(String(no)))
  return order !== null && line !== undefined && line !== null && hasHadTooMuch(deps, order, line)
}

/** Every refund that this buyer has asked for of this course, in whichever order, failed ones too. */
export async function ownRefundsOf(
  { db }: Uses<'db'>,
  { userId, courseId }: { userId: string; courseId: string },
): Promise<RefundDocument[]> {
  const orders = await db.orm.orders
    .where({ userId })
    .where(MongoFieldFilter.eq('lines.courseId', courseId))
    .all()
  const lineOf = new Map(
    orders.map(({ _id, lines }) => [_id, lines.find((line) => line.courseId === courseId)?.no]),
  )
  if (lineOf.size === 0) return []
  const refunds = await db.orm.refunds
    .where({ cause: 'student' })
    .where(MongoFieldFilter.in('orderId', [...lineOf.keys()]))
    .all()
  return refunds.filter(({ orderId, lineNos }) =>
    lineNos.includes(String(lineOf.get(orderId ?? ''))),
  )
}
