import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { EntityKind } from '../gateway-failure.ts'
import type { EventHeaders, GatewayEvent, SignedEvent } from '../payments.ts'
import { isRazorpayId } from './ids.ts'
import { isWebhookSignature } from './signature.ts'

// Each by itself: an odd one leaves the others to be looked at.
const Envelope = z.object({
  account_id: z.unknown().optional(),
  event: z.string().optional().catch(undefined),
  payload: z.record(z.string(), z.unknown()).catch({}),
  created_at: z.int().positive().max(253_402_300_799).optional().catch(undefined),
})
const Holder = z.object({ entity: z.record(z.string(), z.unknown()) })

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
    type: Envelope.safeParse(parsed(raw.toString())).data?.event?.slice(0, 100) ?? 'unreadable',
  }
}

// Every event that matters carries one of these; an order comes along with its payment.
const ABOUT = ['payment', 'refund', 'dispute'] as const

/** The ids in it, and nothing else: null where it is about none of what matters here. */
export function eventOf(raw: string): GatewayEvent | null {
  const { data } = Envelope.safeParse(parsed(raw))
  const about = data ? ABOUT.filter((kind) => kind in data.payload) : []
  if (!data || about.length === 0) return null
  const entity = (kind: EntityKind) => Holder.safeParse(data.payload[kind]).data?.entity ?? {}
  const idOf = (kind: EntityKind, ...given: unknown[]) =>
    given.find((id) => isRazorpayId(kind, id)) ?? null
  const [payment, refund, dispute] = [entity('payment'), entity('refund'), entity('dispute')]
  const named = {
    payment: idOf('payment', payment['id'], refund['payment_id'], dispute['payment_id']),
    refund: idOf('refund', refund['id']),
    dispute: idOf('dispute', dispute['id']),
  }
  const account = data.account_id
  return {
    account: typeof account === 'string' && /^acc_[A-Za-z0-9]{14}$/.test(account) ? account : null,
    paymentId: named.payment,
    refundId: named.refund,
    disputeId: named.dispute,
    orderId: idOf('order', payment['order_id'], entity('order')['id']),
    unnamed: about.filter((kind) => named[kind] === null),
    at: data.created_at === undefined ? null : new Date(data.created_at * 1000),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
