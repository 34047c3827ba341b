import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { RazorpayFailure } from '../gateways/razorpay/failure.ts'

/** What a buyer is told when Razorpay fails: come again, and when. */
export function gatewayDown({ log }: Uses<'log'>, failure: unknown): unknown {
  if (!(failure instanceof RazorpayFailure)) return failure
  log.warn({ kind: failure.kind, status: failure.statusCode }, failure.message)
  const retryAfterSeconds = failure.kind === 'throttled' ? 5 : 10
  return new DomainError('PAYMENT_GATEWAY_DOWN', { retryAfterSeconds, cause: failure })
}
