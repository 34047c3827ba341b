import { createHash } from 'node:crypto'
import { z } from 'zod'
import { UnreadableEvent } from '../gateway-failure.ts'
import type { EventHeaders, GatewayEvent, SignedEvent } from '../payments.ts'
import { disputeFact, paymentFact, refundFact } from './facts.ts'
import { DisputeAnswer, PaymentAnswer, RefundAnswer } from './shapes.ts'
import { isWebhookSignature } from './signature.ts'

const Envelope = z.object({
  account_id: z.string().max(60).optional(),
  event: z.string().max(100),
  payload: z.record(z.string(), z.object({ entity: z.unknown() })),
})

/** The event's id and type, or null unless one of the secrets signed these very bytes. */
export function signedEvent(
  raw: Buffer,
  headers: EventHeaders,
  secrets: readonly string[],
): SignedEvent | null {
  if (!isWebhookSignature(raw, headers('x-razorpay-signature'), secrets)) return null
  const given = headers('x-razorpay-event-id') ?? ''
  return {
    // The header is outside the signature: it only spares work, and an odd one is replaced by the body's digest.
    id: /^[\w-]{1,64}$/.test(given) ? given : createHash('sha256').update(raw).digest('hex'),
    type: Envelope.safeParse(parsed(raw.toString())).data?.event ?? 'unreadable',
  }
}

/** Every event that matters carries the payment it is about; null for any other. */
export function eventOf(raw: string): GatewayEvent | null {
  const envelope = Envelope.safeParse(parsed(raw))
  if (!envelope.success) return null
  const { account_id: accountId = '', payload } = envelope.data
  const payment = entityOf(payload, 'payment', PaymentAnswer)
  if (!payment) return null
  const refund = entityOf(payload, 'refund', RefundAnswer)
  const dispute = entityOf(payload, 'dispute', DisputeAnswer)
  return {
    account: /^acc_[A-Za-z0-9]{14}$/.test(accountId) ? accountId : null,
    payment: paymentFact(payment),
    refund: refund && refundFact(refund),
    dispute: dispute && disputeFact(dispute),
  }
}

type Payload = z.infer<typeof Envelope>['payload']

function entityOf<T>(payload: Payload, name: string, answer: z.ZodType<T>): T | null {
  const entity = payload[name]?.entity
  if (entity === undefined) return null
  const { success, data } = answer.safeParse(entity)
  if (!success) throw new UnreadableEvent(`a ${name} that cannot be read`)
  return data
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
