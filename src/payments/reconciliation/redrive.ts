import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { audit } from '../../audit.ts'
import type { Actor } from '../../auth/sessions.ts'
import {
  type OrderDetails,
  type OrderDocument,
  requireOrder,
  showOrderDetails,
} from '../../orders/order.ts'
import type { OrderRef } from '../../orders/reads.ts'
import { noteOrder } from '../../orders/transitions.ts'
import { type PaymentDeps, gatewayOf } from '../deps.ts'
import { settingAside } from '../record/unreadable.ts'
import { driveRefund } from '../refunds/drive.ts'
import { fulfillById } from '../settlement/fulfillment.ts'
import { alignAccess } from '../settlement/line-access.ts'
import { checkOrder, reconcilePayment } from './reconciler.ts'

/** Works on an order now as the reconciler would: asks the gateway, goes on, aligns access, drives its refunds. */
export async function redriveOrder(
  deps: PaymentDeps,
  actor: Actor,
  { orderId }: OrderRef,
): Promise<OrderDetails> {
  const order = await requireOrder(deps, orderId)
  await audit(deps, { actor, act: 'orders.redriven', target: `order:${orderId}` })
  await noteOrder(deps, orderId, { event: 'redriven' })
  await fulfillById(deps, orderId)
  if (order.status === 'CREATED' || order.status === 'EXPIRED' || order.status === 'REVIEW')
    await checkOrder(deps, order)
  else if (order.paymentId) await reconcileById(deps, order, order.paymentId)
  const refunds = await deps.db.orm.refunds
    .where({ orderId })
    .where(MongoFieldFilter.isNull('settledAt'))
    .all()
  for (const refund of refunds) await driveRefund(deps, refund._id)
  await alignAccess(deps, orderId)
  return showOrderDetails(deps, orderId)
}

async function reconcileById(
  deps: PaymentDeps,
  order: OrderDocument,
  paymentId: string,
): Promise<void> {
  await settingAside(deps, order._id, async () =>
    reconcilePayment(deps, await gatewayOf(deps, order).fetchPayment(paymentId)),
  )
}
