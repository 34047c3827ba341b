import type { AggregationCursor, Document, ObjectId } from 'mongodb'
import type { Uses } from '../../deps.ts'
import type { Violation } from './violation.ts'

/** More than this is a disaster, and as plain from the first so many. */
const MOST = 200

// Below the time after which the driver hangs up, so that it is the server that ends the statement.
const STATEMENT_MS = 12_000

type Collection =
  | 'orders'
  | 'payments'
  | 'refunds'
  | 'enrollments'
  | 'coupon_uses'
  | 'coupons'
  | 'invoices'
  | 'webhook_events'
  | 'credit_notes'

// The documents as the driver has them: the contract's validators hold their shape.
export type OrderRow = {
  _id: ObjectId
  userId: ObjectId
  status: string
  currency: string
  amountPaise: number
  lines: { no: number; courseId: string; amountPaise: number }[]
  paymentId?: string | null
  couponCode?: string | null
}
export type RefundRow = {
  key: string
  orderId?: string | null
  paymentId: string
  amountPaise: number
  lineNos: string[]
  status: string
}
export type PaymentRow = {
  gatewayPaymentId: string
  orderId?: string | null
  status: string
  amountPaise: number
  feePaise?: number | null
  currency: string
  reservedPaise: number
  lostPaise?: number | null
  refundKeys: string[]
  review?: { decision: string; amountPaise: number } | null
}
export type GrantRow = {
  key: string
  kind: string
  orderId?: string | null
  lineNo?: number | null
  until?: Date | null
  revokedAt?: Date | null
  reason?: string | null
  revokedBy?: string | null
}
export type EnrollmentRow = {
  userId: ObjectId
  courseId: ObjectId
  grants: GrantRow[]
  barredAt?: Date | null
}
export type DisputeRow = {
  paymentId: string
  status: string
  amountPaise: number
  currency: string
}

/** The documents as the driver has them, by a pipeline that may take 12 seconds. */
export function rowsOf<Row extends object>(
  { db }: Uses<'db'>,
  collection: Collection,
  pipeline: Document[],
): AggregationCursor<Row> {
  return db.driver
    .collection(collection)
    .aggregate<Row>(pipeline, { maxTimeMS: STATEMENT_MS, allowDiskUse: true })
}

/** Looks at row after row, keeping none, until it has seen enough faults. */
export async function scan<Row>(
  rows: AsyncIterable<Row>,
  faultsOf: (row: Row) => Violation[],
): Promise<Violation[]> {
  const found: Violation[] = []
  for await (const row of rows) {
    found.push(...faultsOf(row))
    if (found.length >= MOST) break
  }
  return found.slice(0, MOST)
}

/** Joins by a text that is an ObjectId on the other side, as our optional references are. */
export function joinOrder(as: string, orderId = '$orderId'): Document[] {
  const id = { $convert: { input: orderId, to: 'objectId', onError: null, onNull: null } }
  return [
    { $set: { joinId: id } },
    { $lookup: { from: 'orders', localField: 'joinId', foreignField: '_id', as } },
  ]
}
