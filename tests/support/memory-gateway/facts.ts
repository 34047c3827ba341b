// What the company writes, in the port's words: read strictly where it decides something.
import { z } from 'zod'
import type { EntityKind, UnreadableEntity } from '../../../src/gateways/gateway-failure.ts'
import type {
  GatewayDispute,
  GatewayOrder,
  GatewayPage,
  GatewayPayment,
  GatewayRefund,
} from '../../../src/gateways/payments.ts'

export const NAME = 'memory'

const idOf = (prefix: string) => z.string().regex(new RegExp(`^${prefix}_[0-9a-f-]{36}$`))
const Price = z
  .object({ value: z.string().regex(/^\d{1,8}\.\d\d$/), unit: z.string().regex(/^[a-z]{3}$/) })
  .transform(({ value, unit }) => ({
    amountPaise: Number(value.replace('.', '')),
    currency: unit.toUpperCase(),
  }))
export const Time = z.iso.datetime().transform((text) => new Date(text))

export const IntentAnswer = z.object({
  id: idOf('mi'),
  ref: z.string(),
  price: Price,
  token: z.string().min(20),
})

export function orderFact({ id, ref, price }: z.infer<typeof IntentAnswer>): GatewayOrder {
  return { gateway: NAME, id, ...price, reference: ref }
}

export const PaymentAnswer = z
  .object({
    id: idOf('mp'),
    intent: idOf('mi'),
    price: Price,
    returned: Price,
    // On top of the intent; the buyer bears it.
    fee: Price.optional(),
    state: z.enum(['declined', 'held', 'taken', 'lapsed']),
    why: z.string().optional().catch(undefined),
    made_at: Time,
    taken_at: Time.optional(),
  })
  .transform(({ state, ...charge }): GatewayPayment => {
    const { amountPaise } = charge.price
    const isAllBack = charge.returned.amountPaise >= amountPaise - (charge.fee?.amountPaise ?? 0)
    const taken = isAllBack ? ('refunded' as const) : ('captured' as const)
    const status = { declined: 'failed', held: 'authorized', lapsed: 'failed', taken } as const
    return {
      gateway: NAME,
      id: charge.id,
      orderId: charge.intent,
      ...charge.price,
      feePaise: charge.fee?.amountPaise ?? null,
      feeBearer: charge.fee ? 'buyer' : null,
      status: status[state],
      method: null,
      amountRefundedPaise: charge.returned.amountPaise,
      errorReason: charge.why ?? null,
      createdAt: charge.made_at,
      capturedAt: charge.taken_at ?? null,
    }
  })

export const REFUND_STATUS = { queued: 'pending', sent: 'processed', bounced: 'failed' } as const

export const RefundAnswer = z
  .object({
    id: idOf('mr'),
    charge: idOf('mp'),
    price: Price,
    state: z.enum(['queued', 'sent', 'bounced']),
    tag: z.string().optional(),
    made_at: Time,
  })
  .transform(({ state, ...one }): GatewayRefund => ({
    gateway: NAME,
    id: one.id,
    paymentId: one.charge,
    ...one.price,
    status: REFUND_STATUS[state],
    key: one.tag ?? null,
    createdAt: one.made_at,
  }))

export const DISPUTE_STATUS = {
  filed: 'open',
  examined: 'under_review',
  rejected: 'won',
  upheld: 'lost',
  dropped: 'closed',
} as const

export const DisputeAnswer = z
  .object({
    id: idOf('mc'),
    charge: idOf('mp'),
    price: Price,
    state: z.enum(['filed', 'examined', 'rejected', 'upheld', 'dropped']),
    made_at: Time,
  })
  .transform(({ state, ...claim }): GatewayDispute => ({
    gateway: NAME,
    id: claim.id,
    paymentId: claim.charge,
    ...claim.price,
    status: DISPUTE_STATUS[state],
    phase: 'claim',
    reasonCode: null,
    respondBy: null,
    createdAt: claim.made_at,
  }))

const some = (prefix: string) => idOf(prefix).nullish().catch(null)
const Ids = z.object({
  id: z.string().nullish().catch(null),
  intent: some('mi'),
  charge: some('mp'),
})

export function unreadableOf(kind: EntityKind, raw: unknown, error: z.ZodError): UnreadableEntity {
  const { id = null, intent, charge } = Ids.safeParse(raw).data ?? {}
  return {
    gateway: NAME,
    kind,
    id,
    orderId: intent ?? null,
    paymentId: kind === 'payment' ? id : (charge ?? null),
    isOfNoOrder: false,
    reason: error.issues.map(({ path }) => path.join('.')).join(', '),
  }
}

/** Those that can be read, and those that cannot. */
export function listed<T>(
  kind: EntityKind,
  answer: z.ZodType<T>,
  rows: readonly unknown[],
): GatewayPage<T> {
  const page: GatewayPage<T> = { items: [], unreadable: [] }
  for (const row of rows) {
    const { data, error } = answer.safeParse(row)
    if (error) page.unreadable.push(unreadableOf(kind, row, error))
    else page.items.push(data)
  }
  return page
}
