import type { Uses } from '../../deps.ts'
import type { GatewayPayment } from '../../gateways/payments.ts'

/**
 * A gateway's own time, within reason: never in the future, and never before `from`. What happened while nobody
 * told us happened then all the same: invoices, earnings and refund windows are of that day.
 */
export function withinReason({ now }: Uses<'now'>, told: Date, from: Date | null = null): Date {
  const at = from !== null && told < from ? from : told
  return at > now() ? now() : at
}

/** When a payment was paid, in the gateway's words. */
export function paidTimeOf({
  createdAt,
  capturedAt,
}: Pick<GatewayPayment, 'createdAt' | 'capturedAt'>): Date {
  return capturedAt ?? createdAt
}
