// Of what was charged, a part may be the gateway's: a fee that its buyer bears, on top of the order. That part is
// neither ours nor refunded by us, so whatever is compared, reserved or summed up is what is left without it.
import type { GatewayPayment } from '../../gateways/payments.ts'
import type { OrderDocument } from '../../orders/order.ts'
import type { PaymentDocument } from './payments.ts'

type Charged = Pick<PaymentDocument, 'amountPaise'> & {
  feePaise?: number | null
  lostPaise?: number | null
}

/** What was paid for the order, in paise. */
export function ownPaise({ amountPaise, feePaise }: Charged): number {
  return amountPaise - (feePaise ?? 0)
}

/** What can still be given back: neither reserved for a refund nor taken by a bank. */
export function leftPaise(payment: Charged & Pick<PaymentDocument, 'reservedPaise'>): number {
  return ownPaise(payment) - payment.reservedPaise - (payment.lostPaise ?? 0)
}

/**
 * The fee on top with which a payment is of the order's amount, 0 where there is none; null where it is of another
 * amount. Who pays more than the order by the gateway's own fee has paid the order, whether or not the gateway says
 * who bears it.
 */
export function feeOnTop(
  { amountPaise }: Pick<OrderDocument, 'amountPaise'>,
  seen: Pick<GatewayPayment, 'amountPaise' | 'feePaise' | 'feeBearer' | 'status'>,
): number | null {
  const over = seen.amountPaise - amountPaise
  if (over === 0) return 0
  if (over < 0 || seen.feeBearer === 'seller') return null
  if (seen.feePaise !== null) return seen.feePaise === over ? over : null
  // Told when it is captured: until then the gateway compares what is asked for with what it holds.
  return seen.feeBearer === 'buyer' && seen.status === 'authorized' ? over : null
}

/** What banks took by these lost disputes; one in another currency than the payment's is taken for the whole. */
export function lostPaiseOf(
  lost: readonly { amountPaise: number; currency: string }[],
  { amountPaise, currency }: { amountPaise: number; currency: string },
): number {
  return lost.reduce(
    (sum, dispute) => sum + (dispute.currency === currency ? dispute.amountPaise : amountPaise),
    0,
  )
}
