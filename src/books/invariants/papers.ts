import type { Document } from 'mongodb'
import { CREDITED_FOR_NOTHING, UNCREDITED } from '../../invoices/missing-credit-notes.ts'
import { rowsOf, scan } from './rows.ts'
import type { Violation, Watch } from './violation.ts'

const IN_ROW = 'invoices and credit notes are numbered without a gap'
const ADD_UP = 'an invoice charges what its order does, and its lines and taxes add up to that'
const CREDITED = 'a processed refund of an invoice has its credit note, and nothing else has one'

/** 9. In each financial year there are as many of each as the last one's number says. */
export async function numbersInRow(deps: Watch): Promise<Violation[]> {
  const pipeline = [
    { $group: { _id: '$series', n: { $sum: 1 }, last: { $max: '$serial' } } },
    { $match: { $expr: { $ne: ['$n', '$last'] } } },
  ]
  type Row = { _id: string; n: number; last: number }
  const look = (name: 'invoices' | 'credit_notes') =>
    scan(rowsOf<Row>(deps, name, pipeline), ({ _id, n, last }) => [
      {
        invariant: IN_ROW,
        subject: `${name.replace('_', ' ')} of ${_id}`,
        detail: `are ${n}, and the last is number ${last}`,
      },
    ])
  return [...(await look('invoices')), ...(await look('credit_notes'))]
}

type Paper = { number: string; isOff: boolean; isUntaxed: boolean }

/** Each paper is the sum of its lines, and of its value and its taxes; an invoice is the total of its order. */
export async function papersThatAddUp(deps: Watch): Promise<Violation[]> {
  const order = [
    { $set: { joinId: { $toObjectId: '$orderId' } } },
    { $lookup: { from: 'orders', localField: 'joinId', foreignField: '_id', as: 'order' } },
  ]
  const isOff = { $ne: ['$body.totalPaise', { $sum: '$order.amountPaise' }] }
  return [
    ...(await scan(rowsOf<Paper>(deps, 'invoices', [...order, ...sums(isOff)]), faultsOf)),
    ...(await scan(rowsOf<Paper>(deps, 'credit_notes', sums(false)), faultsOf)),
  ]
}

function sums(isOther: Document | false): Document[] {
  const isUntaxed = {
    $and: [
      { $ne: ['$body.taxablePaise', null] },
      {
        $ne: [
          '$body.totalPaise',
          { $add: ['$body.taxablePaise', { $sum: '$body.taxes.amountPaise' }] },
        ],
      },
    ],
  }
  const isOff = {
    $or: [isOther, { $ne: ['$body.totalPaise', { $sum: '$body.lines.amountPaise' }] }],
  }
  return [
    { $project: { number: 1, isOff, isUntaxed } },
    { $match: { $or: [{ isOff: true }, { isUntaxed: true }] } },
  ]
}

function faultsOf({ number, isOff }: Paper): Violation[] {
  const detail = isOff ? 'is not the total of its order or its lines' : 'is not its value and taxes'
  return [{ invariant: ADD_UP, subject: `paper ${number}`, detail }]
}

/** What went back of what was invoiced is credited, to the paisa, once. */
export async function creditedAsRefunded(deps: Watch, before: Date): Promise<Violation[]> {
  const missing = [...UNCREDITED, { $match: { updatedAt: { $lte: before } } }]
  const needless = [
    ...CREDITED_FOR_NOTHING,
    { $match: { 'refunds.updatedAt': { $not: { $gt: before } } } },
  ]
  return [
    ...(await scan(rowsOf<{ key: string }>(deps, 'refunds', missing), ({ key }) => [
      { invariant: CREDITED, subject: `refund ${key}`, detail: 'has no credit note' },
    ])),
    ...(await scan(rowsOf<{ number: string }>(deps, 'credit_notes', needless), ({ number }) => [
      { invariant: CREDITED, subject: `paper ${number}`, detail: 'its refund is not processed' },
    ])),
    ...(await scan(
      rowsOf<{ number: string }>(deps, 'credit_notes', OF_OTHER_AMOUNTS),
      ({ number }) => [
        { invariant: CREDITED, subject: `paper ${number}`, detail: 'is not what was refunded' },
      ],
    )),
  ]
}

const OF_OTHER_AMOUNTS: Document[] = [
  { $set: { joinId: { $toObjectId: '$refundId' } } },
  { $lookup: { from: 'refunds', localField: 'joinId', foreignField: '_id', as: 'refund' } },
  { $lookup: { from: 'invoices', localField: 'orderId', foreignField: 'orderId', as: 'invoice' } },
  {
    $match: {
      $expr: {
        $ne: [
          '$body.totalPaise',
          { $min: [{ $sum: '$refund.amountPaise' }, { $sum: '$invoice.body.totalPaise' }] },
        ],
      },
    },
  },
]
