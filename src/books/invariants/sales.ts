import type { Document } from 'mongodb'
import { KEPT_MS } from '../../mail/outbox.ts'
import { rowsOf, scan, type OrderRow } from './rows.ts'
import type { Violation, Watch } from './violation.ts'

const ADD_UP = 'an order is the sum of its lines, each between nothing and its list price'
const SENT = 'a paid order is told to its buyer'
const SOMEBODY = 'an order is paid by somebody who is here'

/** 7. What was charged is what stands on the lines. */
export async function linesThatAddUp(deps: Watch): Promise<Violation[]> {
  const sum = (field: string) => ({ $sum: `$lines.${field}` })
  const isOdd = {
    $or: [
      { $lt: ['$$this.amountPaise', 0] },
      { $lt: ['$$this.discountPaise', 0] },
      { $ne: ['$$this.listPaise', { $add: ['$$this.amountPaise', '$$this.discountPaise'] }] },
    ],
  }
  const pipeline = [
    {
      $project: {
        isOff: {
          $or: [
            { $ne: ['$amountPaise', sum('amountPaise')] },
            { $ne: ['$discountPaise', sum('discountPaise')] },
          ],
        },
        odd: { $size: { $filter: { input: '$lines', cond: isOdd } } },
      },
    },
    { $match: { $or: [{ isOff: true }, { odd: { $gt: 0 } }] } },
  ]
  type Row = Pick<OrderRow, '_id'> & { isOff: boolean; odd: number }
  return scan(rowsOf<Row>(deps, 'orders', pipeline), ({ _id, isOff, odd }) => {
    const faults = [
      isOff && 'is not the sum of its lines',
      odd > 0 && 'has a line that costs less than nothing or more than its list price',
    ]
    return faults.flatMap((detail) => (detail === false ? [] : [about(ADD_UP, { _id, detail })]))
  })
}

/** 8. The receipt of every sale was put into the outbox; its record is kept for a while only. */
export async function receiptsSent(deps: Watch): Promise<Violation[]> {
  const kept = new Date(deps.now().getTime() - KEPT_MS)
  const pipeline: Document[] = [
    { $match: { status: 'FULFILLED', amountPaise: { $gt: 0 }, fulfilledAt: { $gt: kept } } },
    { $set: { key: { $concat: ['receipt:', { $toString: '$_id' }] } } },
    { $lookup: { from: 'outbox_mails', localField: 'key', foreignField: 'key', as: 'mails' } },
    { $match: { mails: [] } },
    // With an account go the mails to it.
    ...joinBuyer,
    { $match: { 'buyer.deletedAt': null } },
    { $project: { _id: 1 } },
  ]
  return scan(rowsOf<OrderRow>(deps, 'orders', pipeline), ({ _id }) => [
    about(SENT, { _id, detail: 'its receipt was never put into the outbox' }),
  ])
}

/** 10. Money that came after its buyer had left goes back. */
export async function paidByNobody(deps: Watch): Promise<Violation[]> {
  const pipeline: Document[] = [
    { $match: { status: { $in: ['PAID', 'FULFILLED'] }, amountPaise: { $gt: 0 } } },
    ...joinBuyer,
    { $match: { $expr: { $lt: [{ $max: '$buyer.deletedAt' }, '$paidAt'] } } },
    { $match: { 'buyer.deletedAt': { $type: 'date' } } },
    {
      $lookup: {
        from: 'refunds',
        localField: 'paymentId',
        foreignField: 'paymentId',
        as: 'refunds',
        pipeline: [{ $match: { status: { $ne: 'FAILED' } } }],
      },
    },
    { $match: { $expr: { $lt: [{ $sum: '$refunds.amountPaise' }, '$amountPaise'] } } },
    { $project: { _id: 1 } },
  ]
  return scan(rowsOf<OrderRow>(deps, 'orders', pipeline), ({ _id }) => [
    about(SOMEBODY, { _id, detail: 'was paid after its buyer’s account was deleted' }),
  ])
}

const joinBuyer: Document[] = [
  {
    $lookup: {
      from: 'users',
      localField: 'userId',
      foreignField: '_id',
      as: 'buyer',
      pipeline: [{ $project: { deletedAt: 1 } }],
    },
  },
]

type Fault = Pick<OrderRow, '_id'> & { detail: string }

function about(invariant: string, { _id, detail }: Fault): Violation {
  return { invariant, subject: `order ${_id.toHexString()}`, detail }
}
