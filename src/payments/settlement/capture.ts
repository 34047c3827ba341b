import type { Uses } from '../../deps.ts'
import { GatewayFailure } from '../../gateways/gateway-failure.ts'
import type { GatewayPayment } from '../../gateways/payments.ts'
import { requireOrder, type OrderDocument } from '../../orders/order.ts'
import { gatewayOf } from '../deps.ts'
import { feeOnTop } from '../record/amounts.ts'

/** Any other authorization is never captured by us, and the gateway lets go of it after some days. */
export function isCapturable(order: OrderDocument, payment: GatewayPayment): boolean {
  return (
    payment.status === 'authorized' &&
    payment.currency === order.currency &&
    feeOnTop(order, payment) !== null
  )
}

/**
 * Takes the money of a payment that its gateway leaves authorized until it is asked. Null where there is
 * nothing to take: the gateway does it by itself, another payment holds the order, or it is refused. Throws
 * GatewayFailure.
 */
export async function captureIfAsked(
  deps: Uses<'db' | 'gateways'>,
  order: OrderDocument,
  seen: GatewayPayment,
): Promise<GatewayPayment | null> {
  const gateway = gatewayOf(deps, seen)
  if (gateway.capturesByItself || !isCapturable(order, seen)) return null
  // Whoever passed the order on may have read it before another payment came.
  if ((await requireOrder(deps, order._id)).paymentId) return null
  try {
    return await gateway.capturePayment({ ...seen, ownPaise: order.amountPaise })
  } catch (failure) {
    // The news may be old, and the authorization gone: the reconciler asks anew.
    if (failure instanceof GatewayFailure && failure.kind === 'refused') return null
    throw failure
  }
}
