import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { isDuplicateKey } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import { Id } from '../../fields.ts'
import { GatewayFailure } from '../../gateways/gateway-failure.ts'
import type { GatewayOrder, GatewayPayment } from '../../gateways/payments.ts'
import type { OrderDocument } from '../../orders/order.ts'
import { gatewayOf } from '../deps.ts'

/**
 * Our order that a payment belongs to. Where we died before noting the gateway's order, the reference on that tells:
 * it is written by nobody but us. Null when it is none of ours.
 */
export async function findOrderOf(
  deps: Uses<'db' | 'now' | 'gateways'>,
  payment: Pick<GatewayPayment, 'gateway' | 'orderId'>,
): Promise<OrderDocument | null> {
  const { gateway, orderId: gatewayOrderId } = payment
  if (gatewayOrderId === null) return null
  const linked = await deps.db.orm.orders.where({ gateway, gatewayOrderId }).first()
  if (linked) return linked
  const theirs = await gatewayOf(deps, payment)
    .fetchOrder(gatewayOrderId)
    .catch((failure: unknown) => {
      if (isUnknownToGateway(failure)) return null
      throw failure
    })
  const id = Id.safeParse(theirs?.reference)
  if (!theirs || !id.success) return null
  await linkOrder(deps, id.data, theirs)
  return deps.db.orm.orders.where({ _id: id.data, gateway }).first()
}

/** Notes the gateway's order on ours, unless another one is noted already, or it is for another amount. */
export async function linkOrder(
  { db, now }: Uses<'db' | 'now'>,
  orderId: string,
  { gateway, id, amountPaise, currency }: GatewayOrder,
): Promise<void> {
  try {
    await db.orm.orders
      .where({ _id: orderId, gateway, amountPaise, currency })
      .where(MongoFieldFilter.isNull('gatewayOrderId'))
      .update({ gatewayOrderId: id, updatedAt: now() })
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
  }
}

/** The gateway says that there is no such thing, as opposed to not answering or not knowing us. */
export function isUnknownToGateway(failure: unknown): boolean {
  return failure instanceof GatewayFailure && failure.isUnknown
}
