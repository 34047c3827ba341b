import type { Stored } from '../db.ts'
import type { Uses } from '../deps.ts'

export type RefundStatus = 'REQUESTED' | 'PENDING' | 'PROCESSED' | 'FAILED'

export type RefundDocument = Stored<'refunds'>

export type Refund = {
  id: string
  orderId: string | null
  paymentId: string
  amountPaise: number
  currency: string
  lines: number[]
  status: RefundStatus
  cause: string
  reason: string | null
  error: string | null
  createdAt: Date
}

/** A refund as its buyer and administrators see it. */
export function publicRefund(refund: RefundDocument): Refund {
  return {
    id: refund._id,
    orderId: refund.orderId ?? null,
    paymentId: refund.paymentId,
    amountPaise: refund.amountPaise,
    currency: refund.currency,
    lines: refund.lineNos.map(Number),
    status: refund.status,
    cause: refund.cause,
    reason: refund.reason ?? null,
    error: refund.error ?? null,
    createdAt: refund.createdAt,
  }
}

/** Refunds of this payment that took money or still may. */
export function standingRefunds(
  refunds: readonly RefundDocument[],
  paymentId: string | null | undefined,
): RefundDocument[] {
  return refunds.filter((refund) => refund.paymentId === paymentId && refund.status !== 'FAILED')
}

/** Every refund of an order, oldest first, failed ones too. */
export function refundsOf({ db }: Uses<'db'>, orderId: string): Promise<RefundDocument[]> {
  return Promise.resolve(db.orm.refunds.where({ orderId }).orderBy({ createdAt: 1 }).all())
}
