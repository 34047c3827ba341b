import type { GatewayPayment } from '../../gateways/payments.ts'
import type { OrderDocument } from '../../orders/order.ts'
import { gatewayOf, type RefundDeps } from '../deps.ts'
import { leftPaise } from '../record/amounts.ts'
import { quarantine, type PaymentDocument } from '../record/payments.ts'
import { driveRefund } from './drive.ts'
import { leastRefundOf, openRefund } from './open.ts'

// What every gateway takes as an idempotency key (gateways/payments.ts).
const IS_KEY = /^[A-Za-z0-9_-]{10,40}$/

type Rest = {
  payment: PaymentDocument
  seen: GatewayPayment
  /** `dup`: the order was paid twice; `gone`: its buyer has left; `late`: its time was over. */
  key: 'dup' | 'gone' | 'late'
  reason: string
}

/** What is left of a payment that bought nothing goes back, under a key of its own. */
export async function refundRest(
  deps: RefundDeps,
  { _id: orderId }: Pick<OrderDocument, '_id'>,
  { payment, seen, key: prefix, reason }: Rest,
): Promise<void> {
  const { gateway, gatewayPaymentId: paymentId, reservedPaise, currency } = payment
  // Where the gateway's id makes no key, ours does; the first is what refunds made long ago are known by.
  const byGateway = `${prefix}-${paymentId}`
  const key = IS_KEY.test(byGateway) ? byGateway : `${prefix}-${payment._id}`
  // Some of it may have been given back in the gateway's dashboard, of which we have not heard yet.
  const unheard = Math.max(0, seen.amountRefundedPaise - reservedPaise)
  const left = leftPaise(payment) - unheard
  const known = await deps.db.orm.refunds.where({ key }).first()
  if (!known && left < leastRefundOf(gatewayOf(deps, payment), currency)) {
    // A bank took nearly all of it.
    if (left > 0)
      await quarantine(deps, paymentId, `too little is left to give back: ${left} paise`)
    return
  }
  const refund =
    known ??
    (await openRefund(deps, {
      key,
      gateway,
      orderId,
      paymentId,
      amountPaise: left,
      currency,
      lineNos: [],
      cause: prefix === 'late' ? 'late' : 'duplicate',
      reason,
    }))
  if (refund.status === 'REQUESTED' && refund.attempts === 0) await driveRefund(deps, refund._id)
}
