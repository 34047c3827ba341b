// The company behind the port, as any other adapter is: of its own rooms it knows the port alone.
import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { openBreaker } from '../../../src/gateways/breaker.ts'
import { type EntityKind, GatewayFailure } from '../../../src/gateways/gateway-failure.ts'
import type { GatewayPage, PaymentGateway, Period } from '../../../src/gateways/payments.ts'
import type { Api, Route } from './api.ts'
import { eventOf, signedEvent } from './events.ts'
import {
  DisputeAnswer,
  IntentAnswer,
  listed,
  NAME,
  orderFact,
  PaymentAnswer,
  RefundAnswer,
} from './facts.ts'
import { CONTENT_TYPE, PATIENCE_MS } from './sender.ts'
import { openWire, type Wire } from './wire.ts'

export type MemoryOptions = {
  api: Api
  publicKeys: readonly KeyObject[]
  now: () => Date
  /** How long an answer may take; default 300. */
  timeoutMs?: number
}

const LIMITS: Record<string, { leastChargePaise: number; leastRefundPaise: number }> = {
  INR: { leastChargePaise: 50, leastRefundPaise: 1 },
  EUR: { leastChargePaise: 30, leastRefundPaise: 1 },
}

export function openMemoryGateway(options: MemoryOptions): PaymentGateway {
  const { api, publicKeys, now, timeoutMs = 300 } = options
  const wire = openWire(api, timeoutMs, openBreaker('Memory', now))
  const show = <T>(route: Route, id: string, answer: z.ZodType<T>, kind: EntityKind = 'order') =>
    wire({ route, id, answer, kind, isRepeatable: true })
  const fetchPayment = (id: string) => show('show charge', id, PaymentAnswer, 'payment')
  const Rows = z.array(z.unknown())

  return {
    name: NAME,
    keyId: 'memory-key-of-the-tests',
    capturesByItself: false,
    limits: (currency) => LIMITS[currency] ?? null,

    createOrder: async ({ reference: ref, amountPaise: paise, currency }) => {
      const ask = { ref, paise, unit: currency.toLowerCase(), key: `intent-${ref}` }
      const made = { route: 'make intent', ask, answer: IntentAnswer, isRepeatable: true } as const
      return orderFact(await wire(made))
    },
    findOrder: async (ref) => {
      const answer = z.array(IntentAnswer)
      const [found] = await wire({
        route: 'find intents',
        ask: { ref },
        answer,
        isRepeatable: true,
      })
      return found ? orderFact(found) : null
    },
    fetchOrder: async (id) => orderFact(await show('show intent', id, IntentAnswer)),
    paymentsOfOrder: async (id) =>
      listed('payment', PaymentAnswer, await show('charges of intent', id, Rows)),
    fetchPayment,
    capturePayment: ({ id }) => capture(wire, id, fetchPayment),

    refundPayment: ({ paymentId: id, amountPaise: paise, key }) =>
      wire({
        route: 'make return',
        id,
        ask: { paise, key, tag: key },
        answer: RefundAnswer,
        isRepeatable: true,
      }),
    refundsOfPayment: async (id) =>
      listed('refund', RefundAnswer, await show('returns of charge', id, Rows)),
    fetchRefund: (id) => show('show return', id, RefundAnswer, 'refund'),
    fetchDispute: (id) => show('show claim', id, DisputeAnswer, 'dispute'),

    listPayments: (period) =>
      pages(wire, 'list charges', { kind: 'payment', answer: PaymentAnswer, period }),
    listRefunds: (period) =>
      pages(wire, 'list returns', { kind: 'refund', answer: RefundAnswer, period }),
    listDisputes: () => pages(wire, 'list claims', { kind: 'dispute', answer: DisputeAnswer }),

    checkoutOf: async (
      { id, amountPaise: amount, currency },
      { shop: name, buyer: prefill, timeout },
    ) => {
      const { token: secret } = await show('show intent', id, IntentAnswer)
      const script = 'https://memory.test/dialog.js'
      const shown = { amount, currency, name, prefill, script, timeout, secret }
      return { gateway: NAME, key: 'memory-public-key', order_id: id, ...shown }
    },
    // The browser comes back with nothing, and whatever it says is not looked at.
    readProof: () => ({ paymentId: null }),

    webhooks: { contentType: CONTENT_TYPE, answerWithinMs: PATIENCE_MS },
    readEvent: (raw, headers) => signedEvent(raw, headers, { publicKeys, now }),
    openEvent: eventOf,
  }
}

type FetchPayment = PaymentGateway['fetchPayment']

async function capture(wire: Wire, id: string, fetchPayment: FetchPayment) {
  try {
    return await wire({ route: 'take charge', id, answer: PaymentAnswer, isRepeatable: false })
  } catch (failure) {
    if (!(failure instanceof GatewayFailure)) throw failure
    const payment = await fetchPayment(id).catch(() => null)
    if (payment?.status === 'captured') return payment
    throw failure
  }
}

async function* pages<T>(
  wire: Wire,
  route: Route,
  { kind, answer, period }: { kind: EntityKind; answer: z.ZodType<T>; period?: Period },
): AsyncGenerator<GatewayPage<T>> {
  const Page = z.object({ rows: z.array(z.unknown()), more: z.string().nullable() })
  let after: string | undefined
  do {
    const ask = { ...period, ...(after !== undefined && { after }) }
    const page = await wire({ route, ask, answer: Page, isRepeatable: true })
    yield listed(kind, answer, page.rows)
    after = page.more ?? undefined
  } while (after !== undefined)
}
