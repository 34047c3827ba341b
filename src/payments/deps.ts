import type { Uses } from '../deps.ts'
import type { PaymentGateway } from '../gateways/payments.ts'

/** What everything from a captured payment to an open course touches. */
export type PaymentDeps = Uses<'db' | 'now' | 'gateways' | 'log' | 'settings'>

/** What a refund touches on its way from the intent to its end. */
export type RefundDeps = Uses<'db' | 'now' | 'gateways' | 'log'>

/** The gateway that an order, a payment or a refund names. Throws GatewayFailure when it is not configured. */
export function gatewayOf(
  { gateways }: Uses<'gateways'>,
  { gateway }: { gateway: string },
): PaymentGateway {
  return gateways.named(gateway)
}
