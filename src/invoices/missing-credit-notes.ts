// Whoever issues a credit note may die before it is there, and refunds were processed before there were any.
import type { Document, ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'
import type { Job } from '../jobs.ts'
import { leased, type Keep } from '../lease.ts'
import { cancelCreditNote, issueCreditNote } from './credit-notes.ts'

const PER_RUN = 200
const STATEMENT_MS = 20_000

/** Of the refunds: processed ones of what an invoice charges, that have no credit note. */
export const UNCREDITED: Document[] = [
  { $match: { status: 'PROCESSED', orderId: { $type: 'string' } } },
  { $set: { refundId: { $toString: '$_id' } } },
  lookup('credit_notes', 'refundId', 'notes'),
  { $match: { notes: [] } },
  lookup('invoices', 'orderId', 'invoices'),
  { $match: { $expr: { $in: ['$paymentId', '$invoices.body.paymentId'] } } },
]

/** Of the credit notes: standing ones whose refund is not processed. */
export const CREDITED_FOR_NOTHING: Document[] = [
  { $match: { cancelledAt: null } },
  { $set: { id: { $toObjectId: '$refundId' } } },
  { $lookup: { from: 'refunds', localField: 'id', foreignField: '_id', as: 'refunds' } },
  { $match: { 'refunds.status': { $ne: 'PROCESSED' } } },
]

/** Every hour: issues what is missing, oldest refunds first, and cancels what has to be. */
export const missingCreditNotes: Job = leased({
  name: 'missing-credit-notes',
  everySeconds: 60 * 60,
  work: issueMissing,
})

async function issueMissing(deps: Uses<'db' | 'now'>, keep: Keep): Promise<void> {
  for (const refundId of await idsOf(deps, 'refunds', [
    ...UNCREDITED,
    { $sort: { createdAt: 1 } },
  ])) {
    if (!(await keep())) return
    const refund = await deps.db.orm.refunds.where({ _id: refundId }).first()
    if (refund) await issueCreditNote(deps, refund)
  }
  const failed = [...CREDITED_FOR_NOTHING, { $match: { 'refunds.status': 'FAILED' } }]
  for (const _id of await idsOf(deps, 'credit_notes', failed, '$id'))
    await cancelCreditNote(deps, { _id })
}

async function idsOf(
  { db }: Uses<'db'>,
  collection: string,
  pipeline: Document[],
  id = '$_id',
): Promise<string[]> {
  const rows = await db.driver
    .collection(collection)
    .aggregate<{ id: ObjectId }>([...pipeline, { $limit: PER_RUN }, { $project: { id } }], {
      maxTimeMS: STATEMENT_MS,
      allowDiskUse: true,
    })
    .toArray()
  return rows.map((row) => row.id.toHexString())
}

function lookup(from: string, field: string, as: string): Document {
  return { $lookup: { from, localField: field, foreignField: field, as } }
}
