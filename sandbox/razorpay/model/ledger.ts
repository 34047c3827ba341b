import type { Account } from './account.ts'

export type LedgerPayment = {
  id: string
  status: string
  amount: number
  currency: string
  /** Captured once, whatever was given back since. */
  captured: boolean
  /** Refunds that are pending or processed. */
  refunded: number
  refunds: { id: string; amount: number; status: string; key: string | null }[]
  disputes: { id: string; status: string; amountDeducted: number }[]
}

export type LedgerOrder = {
  id: string
  receipt: string | null
  amount: number
  currency: string
  status: string
  captured: number
  refunded: number
  payments: LedgerPayment[]
}

/** All amounts in paise. */
export type Ledger = { orders: LedgerOrder[]; captured: number; refunded: number }

/** Razorpay's side of the books, in paise, to hold an application's invariants against. */
export function writeLedger(account: Account): Ledger {
  const keys = new Map([...account.refundKeys].map(([key, { refundId }]) => [refundId, key]))
  const payments = [...account.payments.values()].map(({ payment }) => {
    const refunds = [...account.refunds.values()]
      .map(({ refund }) => refund)
      .filter(({ payment_id }) => payment_id === payment.id)
    const line: LedgerPayment = {
      id: payment.id,
      status: payment.status,
      amount: payment.amount,
      currency: payment.currency,
      captured: payment.captured,
      refunded: sum(refunds.filter(({ status }) => status !== 'failed')),
      refunds: refunds.map(({ id, amount, status }) => ({
        id,
        amount,
        status,
        key: keys.get(id) ?? null,
      })),
      disputes: [...account.disputes.values()]
        .filter(({ dispute }) => dispute.payment_id === payment.id)
        .map(({ dispute: { id, status, amount_deducted } }) => ({
          id,
          status,
          amountDeducted: amount_deducted,
        })),
    }
    return { orderId: payment.order_id, line }
  })
  const orders = [...account.orders.values()].map(({ order }) => {
    const lines = payments.filter(({ orderId }) => orderId === order.id).map(({ line }) => line)
    return {
      id: order.id,
      receipt: order.receipt,
      amount: order.amount,
      currency: order.currency,
      status: order.status,
      captured: sum(lines.filter(({ captured }) => captured)),
      refunded: lines.reduce((total, { refunded }) => total + refunded, 0),
      payments: lines,
    }
  })
  return {
    orders,
    captured: orders.reduce((total, { captured }) => total + captured, 0),
    refunded: orders.reduce((total, { refunded }) => total + refunded, 0),
  }
}

function sum(lines: readonly { amount: number }[]): number {
  return lines.reduce((total, { amount }) => total + amount, 0)
}
