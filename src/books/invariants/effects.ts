import type { Document } from 'mongodb'
import { rowsOf, scan, type OrderRow } from './rows.ts'
import type { Violation, Watch } from './violation.ts'

const STATES = 'states never move back, and their marks fit'
const ONCE = 'every effect happens once'

const SETTLED = ['PAID', 'FULFILLED']
const ONE_WAY = ['paid', 'fulfilled', 'expired', 'nothing to pay']

/** 5. What an order carries fits where it stands, and its timeline never went back. */
export async function statesThatFit(deps: Watch): Promise<Violation[]> {
  const unfit = {
    $or: [
      { status: { $in: SETTLED }, paidAt: null },
      { status: 'FULFILLED', fulfilledAt: null },
      { status: { $in: SETTLED }, paymentId: null, amountPaise: { $gt: 0 } },
      { status: { $nin: SETTLED }, paymentId: { $type: 'string' } },
      { status: { $ne: 'CREATED' }, openKey: { $type: 'string' } },
      { status: { $ne: 'CREATED' }, openSlot: { $type: 'string' } },
      { status: 'REVIEW', reviewReason: null },
    ],
  }
  const isTwice = (event: string) => ({
    $gt: [
      { $size: { $filter: { input: '$timeline', cond: { $eq: ['$$this.event', event] } } } },
      1,
    ],
  })
  const repeated = { $expr: { $or: ONE_WAY.map(isTwice) } }
  const fault = ({ _id }: OrderRow, detail: string): Violation[] => [
    { invariant: STATES, subject: `order ${_id.toHexString()}`, detail },
  ]
  const look = (match: Document, detail: (order: OrderRow) => string) =>
    scan(rowsOf<OrderRow>(deps, 'orders', [{ $match: match }]), (order) =>
      fault(order, detail(order)),
    )
  return [
    ...(await look(unfit, ({ status }) => `is ${status}, which its marks do not fit`)),
    ...(await look(repeated, () => 'went through a state twice')),
  ]
}

type Fulfilled = OrderRow & { use: { state: string }[]; invoices: unknown[] }
type Given = { _id: { key: string } }

/** 6. One grant per line, one invoice per sale, one coupon use per order; unique keys hold the rest. */
export async function onceOnly(deps: Watch): Promise<Violation[]> {
  const orders = [
    { $match: { $or: [{ status: 'FULFILLED' }, { couponCode: { $type: 'string' } }] } },
    { $set: { hex: { $toString: '$_id' } } },
    { $lookup: { from: 'coupon_uses', localField: 'hex', foreignField: 'orderId', as: 'use' } },
    { $lookup: { from: 'invoices', localField: 'hex', foreignField: 'orderId', as: 'invoices' } },
  ]
  const key = { user: '$userId', key: '$grants.key', course: '$courseId' }
  const grants = [
    { $unwind: '$grants' },
    { $group: { _id: key, n: { $sum: 1 } } },
    { $match: { n: { $gt: 1 } } },
  ]
  const fault = (subject: string, detail: string) => [{ invariant: ONCE, subject, detail }]
  return [
    ...(await scan(rowsOf<Fulfilled>(deps, 'orders', orders), faultsOf)),
    ...(await scan(rowsOf<Given>(deps, 'enrollments', grants), ({ _id }) =>
      fault(`grant ${_id.key}`, 'was given twice'),
    )),
  ]
}

function faultsOf(order: Fulfilled): Violation[] {
  const { status, couponCode, amountPaise, use, invoices } = order
  const state = use[0]?.state
  const isDone = status === 'FULFILLED'
  const faults = [
    isDone && couponCode && state !== 'USED' && 'its coupon is not used',
    !isDone && status !== 'PAID' && state === 'USED' && 'its coupon is used',
    isDone && amountPaise > 0 && invoices.length !== 1 && 'it has no invoice',
    isDone && amountPaise === 0 && invoices.length > 0 && 'it has an invoice for nothing',
  ]
  return faults.flatMap((detail) =>
    typeof detail === 'string' && detail !== ''
      ? [{ invariant: ONCE, subject: `order ${order._id.toHexString()}`, detail }]
      : [],
  )
}
