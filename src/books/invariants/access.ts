import type { Document } from 'mongodb'
import { lostPaiseOf, ownPaise } from '../../payments/record/amounts.ts'
import { grantKeyOf, PAYMENT_REASONS } from '../../payments/settlement/line-access.ts'
import {
  joinOrder,
  rowsOf,
  scan,
  type DisputeRow,
  type EnrollmentRow,
  type GrantRow,
  type OrderRow,
  type PaymentRow,
  type RefundRow,
} from './rows.ts'
import type { Violation, Watch } from './violation.ts'

type Paid = OrderRow & {
  payment: PaymentRow[]
  refunds: RefundRow[]
  disputes: DisputeRow[]
  enrollments: EnrollmentRow[]
}

const PAID_AS = 'captured and not refunded: the buyer is enrolled in every line'
const ENROLLED_AS = 'enrolled: a captured, unrefunded, matching payment of that user'

const BY_PAYMENT = { localField: 'paymentId', foreignField: 'paymentId' }

const BY_GATEWAY_ID = { localField: 'gatewayPaymentId', foreignField: 'paymentId' }
const STANDING: Document[] = [{ $match: { status: { $ne: 'FAILED' } } }]

/** What an order was paid with, and what became of that. */
const joinMoney: Document[] = [
  {
    $lookup: {
      from: 'payments',
      localField: 'paymentId',
      foreignField: 'gatewayPaymentId',
      as: 'payment',
    },
  },
  { $lookup: { from: 'refunds', ...BY_PAYMENT, as: 'refunds' } },
  { $lookup: { from: 'disputes', ...BY_PAYMENT, as: 'disputes' } },
]

/** 1. Captured and not refunded means enrolled in every line of the order. */
export async function paidWithoutAccess(deps: Watch, before: Date): Promise<Violation[]> {
  const now = deps.now()
  const claims: Document[] = [
    // By when we heard of it: it may have been paid days before.
    { $match: { status: { $in: ['PAID', 'FULFILLED'] }, updatedAt: { $lte: before } } },
    ...joinMoney,
    {
      $lookup: {
        from: 'enrollments',
        localField: 'userId',
        foreignField: 'userId',
        as: 'enrollments',
      },
    },
  ]
  const unclaimed: Document[] = [
    { $match: { status: 'captured', updatedAt: { $lte: before }, quarantine: null } },
    ...joinOrder('order'),
    { $match: { 'order.status': { $in: ['CREATED', 'EXPIRED'] } } },
    // One that came too late is on its way back.
    { $lookup: { from: 'refunds', ...BY_GATEWAY_ID, as: 'refunds', pipeline: STANDING } },
    { $match: { $expr: { $lt: [{ $sum: '$refunds.amountPaise' }, '$amountPaise'] } } },
  ]
  return [
    ...(await scan(rowsOf<Paid>(deps, 'orders', claims), (order) => linesWithout(order, now))),
    ...(await scan(
      rowsOf<PaymentRow & { order: OrderRow[] }>(deps, 'payments', unclaimed),
      ({ gatewayPaymentId, order }) => [
        {
          invariant: PAID_AS,
          subject: gatewayPaymentId,
          detail: `is captured, and its order is ${order[0]?.status ?? 'gone'}`,
        },
      ],
    )),
  ]
}

function linesWithout(order: Paid, now: Date): Violation[] {
  const id = order._id.toHexString()
  const subject = `order ${id}`
  if (order.status !== 'FULFILLED') {
    return [{ invariant: PAID_AS, subject, detail: 'is paid and not fulfilled' }]
  }
  return order.lines
    .filter(({ no }) => !isEnded(order, no))
    .filter(({ no, courseId, amountPaise }) => {
      const enrollment = order.enrollments.find((one) => one.courseId.toHexString() === courseId)
      const grants = enrollment?.grants ?? []
      const own = grants.find(({ key }) => key === grantKeyOf(id, no))
      if (own && isEndedByPerson(own)) return false
      const isForNothing = amountPaise === 0
      if (isForNothing && (enrollment?.barredAt || grants.some(isEndedByPerson))) return false
      return !grants.some((grant) => isLive(grant, now))
    })
    .map(({ no }) => ({ invariant: PAID_AS, subject, detail: `line ${no} is not open` }))
}

type Money = Pick<Paid, 'amountPaise' | 'currency' | 'payment' | 'refunds' | 'disputes'>

function isEnded(order: Money, no: number): boolean {
  const [payment] = order.payment
  const standing = order.refunds.filter(({ status }) => status !== 'FAILED')
  const lost = order.disputes.filter(({ status }) => status === 'lost')
  const given = standing.reduce((sum, { amountPaise }) => sum + amountPaise, 0)
  const gone = given + lostPaiseOf(lost, payment ?? order)
  const whole = Math.min(order.amountPaise, payment ? ownPaise(payment) : order.amountPaise)
  if (order.amountPaise > 0 && gone >= whole) return true
  return standing.some(({ lineNos }) => lineNos.includes(String(no)))
}

/** Money ends the grants of orders alone; before people were noted, theirs were told by the reason. */
function isEndedByPerson({ revokedAt, revokedBy, orderId, reason }: GrantRow): boolean {
  if (!revokedAt) return false
  return Boolean(revokedBy) || !orderId || !PAYMENT_REASONS.includes(reason ?? '')
}

function isLive({ revokedAt, until }: GrantRow, now: Date): boolean {
  return !revokedAt && (!until || until > now)
}

type Enrolled = EnrollmentRow & {
  grants: GrantRow
  order: (OrderRow & { payment: PaymentRow[]; refunds: RefundRow[]; disputes: DisputeRow[] })[]
}

/** 2. Every live grant by an order stands on money that is there, or on a line that cost nothing. */
export async function accessWithoutPayment(deps: Watch): Promise<Violation[]> {
  const pipeline: Document[] = [
    { $unwind: '$grants' },
    {
      $match: {
        $or: [{ 'grants.kind': 'PAID' }, { 'grants.orderId': { $type: 'string' } }],
        'grants.revokedAt': null,
      },
    },
    {
      $set: {
        joinId: {
          $convert: { input: '$grants.orderId', to: 'objectId', onError: null, onNull: null },
        },
      },
    },
    {
      $lookup: {
        from: 'orders',
        localField: 'joinId',
        foreignField: '_id',
        as: 'order',
        pipeline: joinMoney,
      },
    },
  ]
  return scan(rowsOf<Enrolled>(deps, 'enrollments', pipeline), (row) => {
    const fault = faultOf(row)
    const subject = `user ${row.userId.toHexString()}, course ${row.courseId.toHexString()}`
    return fault === null ? [] : [{ invariant: ENROLLED_AS, subject, detail: fault }]
  })
}

function faultOf({ userId, courseId, grants: grant, order: [order] }: Enrolled): string | null {
  if (!order) return 'its order is gone'
  if (!order.userId.equals(userId)) return 'its order is of another user'
  if (order.status !== 'PAID' && order.status !== 'FULFILLED') return `its order is ${order.status}`
  const line = order.lines.find(({ no }) => no === grant.lineNo)
  if (line?.courseId !== courseId.toHexString()) return 'its order has no such line'
  if ((grant.kind === 'PAID') !== line.amountPaise > 0)
    return `is ${grant.kind}, and its line cost ${line.amountPaise} paise`
  if (order.amountPaise === 0) return null
  const [payment] = order.payment
  if (!payment) return 'its payment is gone'
  if (payment.orderId !== order._id.toHexString()) return 'its payment is of another order'
  const isAccepted =
    payment.review?.decision === 'accepted' && payment.review.amountPaise === payment.amountPaise
  const isOfAmount = ownPaise(payment) === order.amountPaise || isAccepted
  if (!isOfAmount || payment.currency !== order.currency) return 'its payment is of another amount'
  if (payment.status !== 'captured') return `its payment is ${payment.status}`
  return isEnded(order, line.no) ? 'its money was given back' : null
}

const ADMITTED_AS = 'nobody is let in for nothing whose access a person has ended'

/** 11. Who is barred holds no live grant but paid ones. */
export async function accessTakenBack(deps: Watch): Promise<Violation[]> {
  const now = deps.now()
  const barred: Document[] = [{ $match: { barredAt: { $type: 'date' } } }]
  return scan(rowsOf<EnrollmentRow>(deps, 'enrollments', barred), ({ userId, courseId, grants }) =>
    grants
      .filter((grant) => grant.kind !== 'PAID' && isLive(grant, now))
      .map(({ key }) => ({
        invariant: ADMITTED_AS,
        subject: `user ${userId.toHexString()}, course ${courseId.toHexString()}`,
        detail: `grant ${key} is live, and access was ended by a person`,
      })),
  )
}
