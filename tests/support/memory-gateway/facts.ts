// What the company writes, read strictly, in the port's words.
import { z } from 'zod'
import type {
  GatewayDispute,
  GatewayOrder,
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
const Time = z.iso.datetime().transform((text) => new Date(text))

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
    state: z.enum(['declined', 'held', 'taken', 'lapsed']),
    why: z.string().optional(),
    made_at: Time,
  })
  .transform(({ state, ...charge }): GatewayPayment => {
    const { amountPaise } = charge.price
    const isAllBack = charge.returned.amountPaise === amountPaise
    const taken = isAllBack ? ('refunded' as const) : ('captured' as const)
    const status = { declined: 'failed', held: 'authorized', lapsed: 'failed', taken } as const
    return {
      gateway: NAME,
      id: charge.id,
      orderId: charge.intent,
      ...charge.price,
      status: status[state],
      method: null,
      amountRefundedPaise: charge.returned.amountPaise,
      errorReason: charge.why ?? null,
      createdAt: charge.made_at,
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
