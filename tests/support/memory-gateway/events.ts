import { createHash, verify, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import type { EventHeaders, GatewayEvent, SignedEvent } from '../../../src/gateways/payments.ts'
import { Time } from './facts.ts'
import { SIGNATURE_HEADER } from './sender.ts'

// An event is signed anew at every try, so an old signature is somebody's who kept it.
const TOLERANCE_SECONDS = 300
const SIGNATURE = /^t=(\d{1,12}),v1=([\w-]{86})$/

const Envelope = z.object({
  event_id: z.string().regex(/^me_[\w-]{1,60}$/),
  kind: z.string().max(100),
  merchant: z.string().max(60).optional(),
  about: z.record(z.string(), z.unknown()),
  at: Time.optional(),
})
const someId = z
  .string()
  .regex(/^m\w_[0-9a-f-]{36}$/)
  .optional()
  .catch(undefined)
const Ids = z.object({ id: someId, charge: someId, intent: someId })
const KINDS = { charge: 'payment', return: 'refund', claim: 'dispute' } as const

type Check = { publicKeys: readonly KeyObject[]; now: () => Date }

export function signedEvent(
  raw: Buffer,
  headers: EventHeaders,
  { publicKeys, now }: Check,
): SignedEvent | null {
  const [, t = '', v1 = ''] = SIGNATURE.exec(headers(SIGNATURE_HEADER) ?? '') ?? []
  const signature = Buffer.from(v1, 'base64url')
  const signed = Buffer.concat([Buffer.from(`${t}.`), raw])
  if (!publicKeys.some((key) => verify(null, signed, key, signature))) return null
  if (Math.abs(now().getTime() / 1000 - Number(t)) > TOLERANCE_SECONDS) return null
  const { data } = Envelope.safeParse(parsed(raw))
  return data
    ? { id: data.event_id, type: data.kind }
    : { id: createHash('sha256').update(raw).digest('hex'), type: 'unreadable' }
}

/** The ids in it. A claim or a return names its charge. */
export function eventOf(raw: string): GatewayEvent | null {
  const { data } = Envelope.safeParse(parsed(raw))
  if (!data) return null
  const about = (['charge', 'return', 'claim'] as const).filter((name) => name in data.about)
  if (about.length === 0) return null
  const entity = (name: string) => Ids.safeParse(data.about[name]).data ?? {}
  const [charge, made, claim] = [entity('charge'), entity('return'), entity('claim')]
  const ids = { charge: charge.id, return: made.id, claim: claim.id }
  return {
    account: data.merchant ?? null,
    paymentId: charge.id ?? made.charge ?? claim.charge ?? null,
    refundId: made.id ?? null,
    disputeId: claim.id ?? null,
    orderId: charge.intent ?? null,
    unnamed: about.filter((name) => ids[name] === undefined).map((name) => KINDS[name]),
    at: data.at ?? null,
  }
}

function parsed(text: Buffer | string): unknown {
  try {
    return JSON.parse(text.toString()) as unknown
  } catch {
    return null
  }
}
