import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { isDuplicateKey } from '../../db.ts'
import { Id } from '../../fields.ts'
import { RazorpayFailure } from '../../gateways/razorpay/failure.ts'
import type { RazorpayOrder, RazorpayPayment } from '../../gateways/razorpay/shapes.ts'
import type { OrderDocument } from '../../orders/order.ts'
import type { Till } from '../deps.ts'

/**
 * Our order that a payment belongs to. Where we died before noting Razorpay's order, its receipt tells: that
 * is written by nobody but us. Null when it is none of ours.
 */
export async function findOrderOf(
  deps: Till,
  { orderId }: Pick<RazorpayPayment, 'orderId'>,
): Promise<OrderDocument | null> {
  if (orderId === null) return null
  const linked = await deps.db.orm.orders.where({ razorpayOrderId: orderId }).first()
  if (linked) return linked
  const theirs = await deps.razorpay.fetchOrder(orderId).catch((failure: unknown) => {
    if (isUnknown(failure)) return null
    throw failure
  })
  const id = Id.safeParse(theirs?.receipt)
  if (!theirs || !id.success) return null
  await linkOrder(deps, id.data, theirs)
  return deps.db.orm.orders.where({ _id: id.data }).first()
}

/** Notes Razorpay's order on ours, unless another one is noted already. */
export async function linkOrder(
  { db, now }: Till,
  orderId: string,
  { id, amountPaise, currency }: RazorpayOrder,
): Promise<void> {
  try {
    await db.orm.orders
      .where({ _id: orderId, amountPaise, currency })
      .where(MongoFieldFilter.isNull('razorpayOrderId'))
      .update({ razorpayOrderId: id, updatedAt: now() })
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
  }
}

/** Razorpay says that there is no such thing, as opposed to not answering or not knowing us. */
export function isUnknown(failure: unknown): boolean {
  return failure instanceof RazorpayFailure && failure.kind === 'refused' && !isOurKey(failure)
}

/** Our own credentials were refused: nothing is known of what was asked. */
export function isOurKey({ statusCode, description }: RazorpayFailure): boolean {
  return statusCode === 401 || statusCode === 403 || /authentication failed/i.test(description)
}
