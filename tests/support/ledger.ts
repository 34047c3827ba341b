import { expect } from 'vitest'
import type { Lms } from './harness.ts'

/** A payment in a bank's own books, in the port's words. */
export type LedgerPayment = {
  id: string
  status: string
  amountPaise: number
  currency: string
  /** Captured once, whatever was given back since. */
  captured: boolean
  /** By refunds that are pending or processed. */
  refundedPaise: number
  refunds: { id: string; amountPaise: number; status: string }[]
  /** `lostPaise` is what the bank took: nothing, unless it was lost. */
  disputes: { id: string; status: string; lostPaise: number }[]
}

export type LedgerOrder = {
  id: string
  /** The id of our order. */
  reference: string | null
  amountPaise: number
  payments: LedgerPayment[]
}

/** A bank's side of the books, to hold ours against. */
export type Ledger = { orders: LedgerOrder[]; capturedPaise: number; refundedPaise: number }

/** What was captured there we hold, and what was given back there we gave back. */
export async function expectSameLedger({ db }: Pick<Lms, 'db'>, ledger: Ledger): Promise<void> {
  for (const { id, captured, amountPaise, refundedPaise } of ledger.orders.flatMap(
    ({ payments }) => payments,
  )) {
    if (!captured) continue
    const ours = await db.orm.payments.where({ gatewayPaymentId: id }).first()
    const refunds = await db.orm.refunds.where({ paymentId: id }).all()
    const given = refunds
      .filter(({ status }) => status === 'PENDING' || status === 'PROCESSED')
      .reduce((sum, refund) => sum + refund.amountPaise, 0)
    expect([id, ours?.amountPaise, given]).toEqual([id, amountPaise, refundedPaise])
  }
}
