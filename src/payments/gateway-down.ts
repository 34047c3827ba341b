import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import type { GatewayFailure } from '../gateways/gateway-failure.ts'

/**
 * What a client is told when a gateway fails: PAYMENT_GATEWAY_DOWN, and in how many seconds to come again.
 */
export function gatewayDown({ log }: Uses<'log'>, failure: GatewayFailure): DomainError {
  log.warn({ kind: failure.kind, status: failure.statusCode }, failure.message)
  const retryAfterSeconds = failure.kind === 'throttled' ? 5 : 10
  return new DomainError('PAYMENT_GATEWAY_DOWN', { retryAfterSeconds, cause: failure })
}
