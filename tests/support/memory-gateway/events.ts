import { createHash, verify, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { UnreadableEvent } from '../../../src/gateways/gateway-failure.ts'
import type {
  EventHeaders,
  GatewayEvent,
  GatewayPayment,
  SignedEvent,
} from '../../../src/gateways/payments.ts'
import { DisputeAnswer, PaymentAnswer, RefundAnswer } from './facts.ts'
import { SIGNATURE_HEADER } from './sender.ts'

// An event is signed anew at every try, so an old signature is somebody's who kept it.
const TOLERANCE_SECONDS = 300
const SIGNATURE = /^t=(\d{1,12}),v1=([\w-]{86})$/

const Envelope = z.object({
  event_id: z.string().regex(/^me_[\w-]{1,60}$/),
  kind: z.string().max(100),
  merchant: z.string().max(60).optional(),
  about: z.record(z.string(), z.unknown()),
})

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

/** A claim or a return names its charge only: that has to be asked for. */
export async function eventOf(
  raw: string,
  fetchPayment: (id: string) => Promise<GatewayPayment>,
): Promise<GatewayEvent | null> {
  const { data } = Envelope.safeParse(parsed(raw))
  if (!data) return null
  const refund = read(data.about, 'return', RefundAnswer)
  const dispute = read(data.about, 'claim', DisputeAnswer)
  const paymentId = refund?.paymentId ?? dispute?.paymentId
  const payment =
    paymentId === undefined
      ? read(data.about, 'charge', PaymentAnswer)
      : await fetchPayment(paymentId)
  return payment && { account: data.merchant ?? null, payment, refund, dispute }
}

function read<T>(about: Record<string, unknown>, name: string, answer: z.ZodType<T>): T | null {
  if (about[name] === undefined) return null
  const { success, data } = answer.safeParse(about[name])
  if (!success) throw new UnreadableEvent(`a ${name} that cannot be read`)
  return data
}

function parsed(text: Buffer | string): unknown {
  try {
    return JSON.parse(text.toString()) as unknown
  } catch {
    return null
  }
}
