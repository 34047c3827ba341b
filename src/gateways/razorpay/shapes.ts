// What is read of Razorpay's answers: the fields that decide something here, and no other. Whatever else stands in
// them, of any shape, is theirs to change. Fields that are only shown are taken where they can be.
import { z } from 'zod'
import type { EntityKind } from '../gateway-failure.ts'
import { malformed } from './failure.ts'
import { idPattern } from './ids.ts'

/** Whole paise above nothing; anything else is never sent. */
export function requireAmount(paise: number): void {
  if (!Number.isSafeInteger(paise) || paise < 1) throw malformed('not an amount in paise')
}

const idOf = (kind: EntityKind) => z.string().regex(idPattern(kind))
// What our database can hold; more than that was never for an order of ours.
const Paise = z.int().min(0).max(2_147_483_647)
const Currency = z.string().regex(/^[A-Z]{3}$/)
const Shown = z.string().max(200).nullish().catch(null)
const Fee = Paise.nullish()
  .catch(null)
  .transform((paise) => paise ?? null)
// A time that cannot be read is none: money with an odd date is still money.
const UnixSeconds = z
  .int()
  .positive()
  .max(253_402_300_799)
  .nullish()
  .catch(null)
  .transform((seconds) => (typeof seconds === 'number' ? new Date(seconds * 1000) : null))

export type RazorpayOrder = {
  id: string
  amountPaise: number
  currency: string
  receipt: string | null
  /** `created`, `attempted` or `paid`; null for words that are new. */
  status: string | null
}

export const OrderAnswer = z
  .object({
    id: idOf('order'),
    amount: Paise,
    currency: Currency,
    receipt: z.string().nullish(),
    status: Shown,
  })
  .transform((order): RazorpayOrder => ({
    id: order.id,
    amountPaise: order.amount,
    currency: order.currency,
    receipt: order.receipt ?? null,
    status: order.status ?? null,
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
  /** Razorpay's, with its GST; null where it is not told, or not to be read. */
  feePaise: number | null
  /** `customer` where the buyer bears it, on top; null where it is not told. */
  feeBearer: string | null
  status: 'created' | 'pending' | 'authorized' | 'captured' | 'refunded' | 'failed'
  method: string | null
  amountRefundedPaise: number
  errorReason: string | null
  createdAt: Date | null
}

export const PaymentAnswer = z
  .object({
    id: idOf('payment'),
    order_id: idOf('order').nullish(),
    amount: Paise,
    currency: Currency,
    status: z.enum(['created', 'pending', 'authorized', 'captured', 'refunded', 'failed']),
    fee: Fee,
    fee_bearer: Shown,
    // What of the fee the buyer bears, where it is shared.
    customer_fee: Fee,
    customer_fee_gst: Fee,
    method: Shown,
    amount_refunded: Paise.nullish(),
    error_reason: Shown,
    created_at: UnixSeconds,
  })
  .transform((payment): RazorpayPayment => ({
    id: payment.id,
    orderId: payment.order_id ?? null,
    amountPaise: payment.amount,
    currency: payment.currency,
    feePaise: payment.customer_fee === null ? payment.fee : customerFeeOf(payment),
    feeBearer: payment.customer_fee === null ? (payment.fee_bearer ?? null) : 'customer',
    status: payment.status,
    method: payment.method ?? null,
    amountRefundedPaise: payment.amount_refunded ?? 0,
    errorReason: payment.error_reason ?? null,
    createdAt: payment.created_at,
  }))

type CustomerFee = { customer_fee: number | null; customer_fee_gst: number | null }

function customerFeeOf({ customer_fee: fee, customer_fee_gst: gst }: CustomerFee): number {
  return (fee ?? 0) + (gst ?? 0)
}

export type RazorpayRefund = {
  id: string
  paymentId: string
  amountPaise: number
  currency: string
  status: 'pending' | 'processed' | 'failed'
  receipt: string | null
  createdAt: Date | null
}

export const RefundAnswer = z
  .object({
    id: idOf('refund'),
    payment_id: idOf('payment'),
    amount: Paise,
    currency: Currency,
    status: z.enum(['pending', 'processed', 'failed']),
    receipt: z.string().nullish(),
    created_at: UnixSeconds,
  })
  .transform((refund): RazorpayRefund => ({
    id: refund.id,
    paymentId: refund.payment_id,
    amountPaise: refund.amount,
    currency: refund.currency,
    status: refund.status,
    receipt: refund.receipt ?? null,
    createdAt: refund.created_at,
  }))

export type RazorpayDispute = {
  id: string
  paymentId: string
  amountPaise: number
  /** What a lost one took; 0 until then. */
  deductedPaise: number
  currency: string
  status: 'open' | 'under_review' | 'won' | 'lost' | 'closed'
  phase: string | null
  reasonCode: string | null
  respondBy: Date | null
  createdAt: Date | null
}

export const DisputeAnswer = z
  .object({
    id: idOf('dispute'),
    payment_id: idOf('payment'),
    amount: Paise,
    amount_deducted: Fee,
    currency: Currency,
    status: z.enum(['open', 'under_review', 'won', 'lost', 'closed']),
    phase: Shown,
    reason_code: Shown,
    respond_by: UnixSeconds,
    created_at: UnixSeconds,
  })
  .transform((dispute): RazorpayDispute => ({
    id: dispute.id,
    paymentId: dispute.payment_id,
    amountPaise: dispute.amount,
    deductedPaise: dispute.amount_deducted ?? 0,
    currency: dispute.currency,
    status: dispute.status,
    phase: dispute.phase ?? null,
    reasonCode: dispute.reason_code ?? null,
    respondBy: dispute.respond_by,
    createdAt: dispute.created_at,
  }))
