import { findHolds, giveUpHold } from '../../coupons/holds.ts'
import { GatewayFailure } from '../../gateways/gateway-failure.ts'
import { expire } from '../../orders/expiry.ts'
import type { OrderDocument } from '../../orders/order.ts'
import type { PaymentDeps } from '../deps.ts'
import { checkOrder } from '../reconciliation/reconciler.ts'

/** The gateway is asked first: the buyer may have paid in time, and nobody told us. */
export async function closeNow(deps: PaymentDeps, order: OrderDocument): Promise<void> {
  try {
    await checkOrder(deps, order)
  } catch (error) {
    if (!(error instanceof GatewayFailure)) throw error
  }
  await expire(deps, order)
}

/**
 * Gives up the coupons that this buyer's orders hold though their time is over, so that nobody who begins anew is in
 * their own way. Should such an order be paid after all, its coupon has to be had again.
 */
export async function giveUpOldHolds(deps: PaymentDeps, userId: string): Promise<void> {
  for (const use of await findHolds(deps, userId)) {
    const find = () => deps.db.orm.orders.where({ _id: use.orderId }).first()
    const order = await find()
    // At a gateway that is configured no more nobody can pay it.
    const isOpen = order && order.expiresAt > deps.now() && deps.gateways.has(order.gateway)
    if (!order || isOpen) continue
    if (order.status === 'CREATED') await closeNow(deps, order)
    if ((await find())?.status === 'EXPIRED') await giveUpHold(deps, use)
  }
}
