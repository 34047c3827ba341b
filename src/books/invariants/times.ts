import type { Document } from 'mongodb'
import { HOUR_MS } from '../../durations.ts'
import { financialYear } from '../../invoices/numbers.ts'
import { rowsOf, scan, type OrderRow, type PaymentRow } from './rows.ts'
import type { Violation, Watch } from './violation.ts'

const OF_THEN = 'what was paid is of the time it was paid at, by the gateway’s clock'

// Clocks differ, and ours may have been set back since.
const REASON_MS = HOUR_MS

type Paid = Pick<OrderRow, '_id'> & {
  createdAt: Date
  paidAt: Date
  payment: (PaymentRow & { madeAt?: Date | null; takenAt?: Date | null })[]
  invoices: { number: string; series: string; issuedAt: Date }[]
}

/**
 * 13. An order is paid when its payment was, not when we heard of it; so its invoice is of that day, and of that
 * day's financial year.
 */
export async function paidWhenItWas(deps: Watch): Promise<Violation[]> {
  const pipeline: Document[] = [
    { $match: { status: { $in: ['PAID', 'FULFILLED'] }, paymentId: { $gte: '' } } },
    {
      $lookup: {
        from: 'payments',
        localField: 'paymentId',
        foreignField: 'gatewayPaymentId',
        as: 'payment',
      },
    },
    // Of what was taken in before, only when we heard of it is known.
    { $match: { 'payment.madeAt': { $type: 'date' } } },
    { $set: { hex: { $toString: '$_id' } } },
    { $lookup: { from: 'invoices', localField: 'hex', foreignField: 'orderId', as: 'invoices' } },
    { $project: { createdAt: 1, paidAt: 1, payment: 1, invoices: 1 } },
  ]
  return scan(rowsOf<Paid>(deps, 'orders', pipeline), faultsOf)
}

function faultsOf({ _id, createdAt, paidAt, payment: [payment], invoices }: Paid): Violation[] {
  const told = payment?.takenAt ?? payment?.madeAt
  if (!told) return []
  const then = told < createdAt ? createdAt : told
  const isFar = (at: Date, from: Date) => Math.abs(at.getTime() - from.getTime()) > REASON_MS
  const faults = [
    isFar(paidAt, then) && `was paid on ${then.toISOString()}, and we say ${paidAt.toISOString()}`,
    ...invoices.map(
      ({ number, series, issuedAt }) =>
        (isFar(issuedAt, paidAt) || series !== financialYear(issuedAt)) &&
        `was paid on ${paidAt.toISOString()}, and its invoice ${number} is of another day`,
    ),
  ]
  return faults.flatMap((detail) =>
    detail === false ? [] : [{ invariant: OF_THEN, subject: `order ${_id.toHexString()}`, detail }],
  )
}
