import { z } from 'zod'
import type { GatewayPage } from '../payments.ts'
import { malformed } from './failure.ts'

const PREFIXES = { order: 'order', payment: 'pay', refund: 'rfnd', dispute: 'disp' } as const

/** The SDK pastes ids into the path as they are: `../payments/x` would reach another route. */
export function requireId(kind: keyof typeof PREFIXES, id: string): string {
  if (isRazorpayId(kind, id)) return id
  throw malformed(`not a Razorpay ${kind} id`)
}

/** Fourteen letters and digits after the kind's prefix: https://razorpay.com/docs/api/. */
export function isRazorpayId(kind: keyof typeof PREFIXES, id: unknown): id is string {
  return typeof id === 'string' && new RegExp(`^${PREFIXES[kind]}_[A-Za-z0-9]{14}$`).test(id)
}

/** Whole paise above nothing; anything else is never sent. */
export function requireAmount(paise: number): void {
  if (!Number.isSafeInteger(paise) || paise < 1) throw malformed('not an amount in paise')
}

const Id = {
  order: z.string().regex(/^order_[A-Za-z0-9]{14}$/),
  payment: z.string().regex(/^pay_[A-Za-z0-9]{14}$/),
  refund: z.string().regex(/^rfnd_[A-Za-z0-9]{14}$/),
  dispute: z.string().regex(/^disp_[A-Za-z0-9]{14}$/),
}
// What our database can hold; more than that was never for an order of ours.
const Paise = z.int().min(0).max(2_147_483_647)
const Currency = z.string().regex(/^[A-Z]{3}$/)
const UnixSeconds = z
  .int()
  .nonnegative()
  .transform((seconds) => new Date(seconds * 1000))
// Empty notes come back as an empty array; values that were sent as numbers stay numbers.
const Notes = z
  .union([
    z.record(z.string(), z.union([z.string(), z.number()]).transform(String)),
    z.array(z.never()).transform((): Record<string, string> => ({})),
  ])
  .nullish()
  .transform((notes): Record<string, string> => notes ?? {})

export type RazorpayOrder = {
  id: string
  amountPaise: number
  amountPaidPaise: number
  currency: string
  receipt: string | null
  status: 'created' | 'attempted' | 'paid'
  attempts: number
  notes: Record<string, string>
  createdAt: Date
}

export const OrderAnswer = z
  .object({
    id: Id.order,
    amount: Paise,
    amount_paid: Paise,
    currency: Currency,
    receipt: z.string().nullish(),
    status: z.enum(['created', 'attempted', 'paid']),
    attempts: z.int(),
    notes: Notes,
    created_at: UnixSeconds,
  })
  .transform((order): RazorpayOrder => ({
    id: order.id,
    amountPaise: order.amount,
    amountPaidPaise: order.amount_paid,
    currency: order.currency,
    receipt: order.receipt ?? null,
    status: order.status,
    attempts: order.attempts,
    notes: order.notes,
    createdAt: order.created_at,
  }))

/**
 * `status` decides, alone: the `captured` flag of Razorpay's own samples is wrong. `failed` is not
 * final, and a refunded part leaves `captured` standing.
 */
export type RazorpayPayment = {
  id: string
  orderId: string | null
  amountPaise: number
  currency: string
  status: 'created' | 'pending' | 'authorized' | 'captured' | 'refunded' | 'failed'
  method: string | null
  amountRefundedPaise: number
  refundStatus: 'partial' | 'full' | null
  errorReason: string | null
  notes: Record<string, string>
  createdAt: Date
}

export const PaymentAnswer = z
  .object({
    id: Id.payment,
    order_id: Id.order.nullish(),
    amount: Paise,
    currency: Currency,
    status: z.enum(['created', 'pending', 'authorized', 'captured', 'refunded', 'failed']),
    method: z.string().nullish(),
    amount_refunded: Paise.nullish(),
    refund_status: z.enum(['partial', 'full', 'null']).nullish(),
    error_reason: z.string().nullish(),
    notes: Notes,
    created_at: UnixSeconds,
  })
  .transform((payment): RazorpayPayment => ({
    id: payment.id,
    orderId: payment.order_id ?? null,
    amountPaise: payment.amount,
    currency: payment.currency,
    status: payment.status,
    method: payment.method ?? null,
    amountRefundedPaise: payment.amount_refunded ?? 0,
    refundStatus: payment.refund_status === 'null' ? null : (payment.refund_status ?? null),
    errorReason: payment.error_reason ?? null,
    notes: payment.notes,
    createdAt: payment.created_at,
  }))

export type RazorpayRefund = {
  id: string
  paymentId: string
  amountPaise: number
  currency: string
  status: 'pending' | 'processed' | 'failed'
  receipt: string | null
  notes: Record<string, string>
  createdAt: Date
}

export const RefundAnswer = z
  .object({
    id: Id.refund,
    payment_id: Id.payment,
    amount: Paise,
    currency: Currency,
    status: z.enum(['pending', 'processed', 'failed']),
    receipt: z.string().nullish(),
    notes: Notes,
    created_at: UnixSeconds,
  })
  .transform((refund): RazorpayRefund => ({
    id: refund.id,
    paymentId: refund.payment_id,
    amountPaise: refund.amount,
    currency: refund.currency,
    status: refund.status,
    receipt: refund.receipt ?? null,
    notes: refund.notes,
    createdAt: refund.created_at,
  }))

export type RazorpayDispute = {
  id: string
  paymentId: string
  amountPaise: number
  amountDeductedPaise: number
  currency: string
  status: 'open' | 'under_review' | 'won' | 'lost' | 'closed'
  phase: string
  reasonCode: string | null
  respondBy: Date | null
  createdAt: Date
}

export const DisputeAnswer = z
  .object({
    id: Id.dispute,
    payment_id: Id.payment,
    amount: Paise,
    amount_deducted: Paise.nullish(),
    currency: Currency,
    status: z.enum(['open', 'under_review', 'won', 'lost', 'closed']),
    phase: z.string(),
    reason_code: z.string().nullish(),
    respond_by: UnixSeconds.nullish(),
    created_at: UnixSeconds,
  })
  .transform((dispute): RazorpayDispute => ({
    id: dispute.id,
    paymentId: dispute.payment_id,
    amountPaise: dispute.amount,
    amountDeductedPaise: dispute.amount_deducted ?? 0,
    currency: dispute.currency,
    status: dispute.status,
    phase: dispute.phase,
    reasonCode: dispute.reason_code ?? null,
    respondBy: dispute.respond_by ?? null,
    createdAt: dispute.created_at,
  }))

/** A whole list of what belongs to one order or payment. */
export function listOf<T extends z.ZodType>(answer: T): z.ZodType<z.output<T>[]> {
  return z
    .object({ entity: z.literal('collection'), items: z.array(answer) })
    .transform(({ items }) => items)
}

/** A page of the account's list. Other products share the account: an item of theirs must not hide ours. */
export function pageOf<T extends z.ZodType>(answer: T): z.ZodType<GatewayPage<z.output<T>>> {
  return z
    .object({ entity: z.literal('collection'), items: z.array(z.unknown()) })
    .transform(({ items: given }) => {
      const items = given.flatMap((item) => {
        const { success, data } = answer.safeParse(item)
        return success ? [data] : []
      })
      return { items, unreadable: given.length - items.length }
    })
}
