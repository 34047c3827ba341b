import type { z } from 'zod'
import type { Actor } from '../../auth/sessions.ts'
import { DomainError } from '../../errors.ts'
import { Id } from '../../fields.ts'
import { CheckoutProof } from '../../gateways/payments.ts'
import { requireOwnOrder, showOrder, type Order, type OrderDocument } from '../../orders/order.ts'
import { noteOnce } from '../../orders/transitions.ts'
import { gatewayOf, type PaymentDeps } from '../deps.ts'
import { setAsideAll, settingAside } from '../record/unreadable.ts'
import { settlePayment } from '../settlement/settle-payment.ts'

/** Which order, and the fields that the gateway's dialog handed to the browser. */
export const CheckoutAnswer = CheckoutProof.extend({ orderId: Id })
export type CheckoutAnswer = z.infer<typeof CheckoutAnswer>

/**
 * Takes in what the buyer's browser says of a payment. A right proof shows only that the gateway made it: it has no
 * user, amount or time in it. So the order is the caller's own, and the payment is fetched and compared. Not
 * captured yet, the order stays as it is. Throws NOT_FOUND, INVALID_INPUT, SIGNATURE_INVALID, PAYMENT_MISMATCH and
 * GatewayFailure.
 */
export async function verifyPayment(
  deps: PaymentDeps,
  actor: Actor,
  { orderId, ...proof }: CheckoutAnswer,
): Promise<Order> {
  const order = await requireOwnOrder(deps, actor, orderId)
  const gatewayOrderId = order.gatewayOrderId ?? ''
  const proven = gatewayOf(deps, order).readProof(gatewayOrderId, proof)
  if (!proven || gatewayOrderId === '') {
    await noteOnce(deps, order._id, { event: 'signature refused' })
    throw new DomainError('SIGNATURE_INVALID')
  }
  // A browser that proves nothing names no other payment than the one we have.
  const isKnown = proven.paymentId === null || proven.paymentId === order.paymentId
  if (!isKnown || order.status !== 'FULFILLED')
    await settleProven(deps, { ...order, gatewayOrderId }, proven)
  return showOrder(deps, order._id)
}

async function settleProven(
  deps: PaymentDeps,
  order: OrderDocument & { gatewayOrderId: string },
  { paymentId }: { paymentId: string | null },
): Promise<void> {
  const gateway = gatewayOf(deps, order)
  const payments = await settingAside(deps, order._id, async () => {
    if (paymentId !== null) return [await gateway.fetchPayment(paymentId)]
    const { items, unreadable } = await gateway.paymentsOfOrder(order.gatewayOrderId)
    await setAsideAll(deps, unreadable, order._id)
    return items
  })
  // The first to be paid is the one that counts.
  payments.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
  const outcomes = []
  for (const payment of payments) {
    if (payment.orderId !== order.gatewayOrderId) throw new DomainError('PAYMENT_MISMATCH')
    outcomes.push(await settlePayment(deps, payment, { source: 'verify', order }))
  }
  if (outcomes.includes('review') && !outcomes.includes('fulfilled'))
    throw new DomainError('PAYMENT_MISMATCH')
}
