import { lostPaiseOf, ownPaise } from '../../payments/record/amounts.ts'
import {
  joinOrder,
  rowsOf,
  scan,
  type DisputeRow,
  type PaymentRow,
  type RefundRow,
} from './rows.ts'
import type { Violation, Watch } from './violation.ts'

const WITHIN = 'refunds of a payment never exceed what was captured'
const ACCOUNTED =
  'every captured paisa belongs to an order, a refund, or is seen by an administrator'

/** 3. What is given back stays within the payment, and what is reserved is what is being given back. */
export async function refundsWithinCaptured(deps: Watch): Promise<Violation[]> {
  const refunds = {
    from: 'refunds',
    localField: 'gatewayPaymentId',
    foreignField: 'paymentId',
    as: 'refunds',
  }
  const payment = {
    from: 'payments',
    localField: 'paymentId',
    foreignField: 'gatewayPaymentId',
    as: 'payment',
  }
  const lost = {
    from: 'disputes',
    localField: 'gatewayPaymentId',
    foreignField: 'paymentId',
    as: 'lost',
    pipeline: [{ $match: { status: 'lost', settledAt: { $type: 'date' } } }],
  }
  const given = [
    { $lookup: refunds },
    { $lookup: lost },
    {
      $match: {
        $or: [{ refunds: { $ne: [] } }, { lost: { $ne: [] } }, { reservedPaise: { $ne: 0 } }],
      },
    },
  ]
  const strays = [{ $lookup: payment }, { $match: { payment: [] } }]
  return [
    ...(await scan(rowsOf<Given>(deps, 'payments', given), faultsOf)),
    ...(await scan(rowsOf<RefundRow>(deps, 'refunds', strays), ({ key }) => [
      { invariant: WITHIN, subject: `refund ${key}`, detail: 'its payment is not known' },
    ])),
  ]
}

type Given = PaymentRow & { refunds: RefundRow[]; lost: DisputeRow[] }

function faultsOf({ refunds, lost, ...payment }: Given): Violation[] {
  const at = (status: string[]) => refunds.filter((refund) => status.includes(refund.status))
  const sum = (of: RefundRow[]) => of.reduce((total, { amountPaise }) => total + amountPaise, 0)
  const given = sum(at(['PENDING', 'PROCESSED']))
  const reserved = sum(
    at(['REQUESTED', 'PENDING', 'PROCESSED']).filter(({ key }) => payment.refundKeys.includes(key)),
  )
  const lines = at(['REQUESTED', 'PENDING', 'PROCESSED']).flatMap(({ lineNos }) => lineNos)
  const faults = [
    given > payment.amountPaise && `${given} paise given back of ${payment.amountPaise}`,
    reserved !== payment.reservedPaise && `${payment.reservedPaise} paise reserved for ${reserved}`,
    new Set(lines).size < lines.length && 'a line is given back twice',
    (payment.lostPaise ?? 0) < Math.min(lostPaiseOf(lost, payment), payment.amountPaise) &&
      `${payment.lostPaise ?? 0} paise held back for what banks took`,
    payment.status === 'refunded' &&
      given < ownPaise(payment) &&
      `refunded at the gateway, and we know of ${given} paise`,
  ]
  return faults.flatMap((detail) =>
    detail === false
      ? []
      : [{ invariant: WITHIN, subject: `payment ${payment.gatewayPaymentId}`, detail }],
  )
}

const or0 = (field: string) => ({ $ifNull: [field, 0] })

/** 4. Captured money has a home: the order it paid, a refund, or the list of what is set aside. */
export async function moneyAccountedFor(deps: Watch, before: Date): Promise<Violation[]> {
  const pipeline = [
    { $match: { status: 'captured', updatedAt: { $lte: before }, quarantine: null } },
    ...joinOrder('order'),
    { $match: { $expr: { $not: [{ $in: ['$gatewayPaymentId', '$order.paymentId'] }] } } },
    {
      $lookup: {
        from: 'refunds',
        localField: 'gatewayPaymentId',
        foreignField: 'paymentId',
        as: 'refunds',
        pipeline: [{ $match: { status: { $ne: 'FAILED' } } }],
      },
    },
    {
      $set: {
        gonePaise: {
          $add: [{ $sum: '$refunds.amountPaise' }, or0('$feePaise'), or0('$lostPaise')],
        },
      },
    },
    { $set: { leftPaise: { $subtract: ['$amountPaise', '$gonePaise'] } } },
    { $match: { leftPaise: { $gt: 0 } } },
  ]
  return scan(
    rowsOf<PaymentRow & { leftPaise: number }>(deps, 'payments', pipeline),
    ({ gatewayPaymentId, leftPaise }) => [
      {
        invariant: ACCOUNTED,
        subject: `payment ${gatewayPaymentId}`,
        detail: `${leftPaise} paise belong to nothing`,
      },
    ],
  )
}
