import type { OrderDetails } from './order.ts'
import type { Refund } from './refunded.ts'

type Entry = OrderDetails['timeline'][number]

const asWritten = (detail: string | null): string | null => detail

// What happened to an order → what its buyer is told of it beyond that. Details are written for administrators
// and may hold the gateway's own words: one that is not known here is not shown to a buyer at all.
const TOLD: Readonly<Record<string, string | typeof asWritten>> = {
  created: asWritten,
  closed: asWritten,
  expired: asWritten,
  paid: asWritten,
  fulfilled: asWritten,
  'nothing to pay': asWritten,
  'review ended': asWritten,
  'coupon used late': asWritten,
  'late payment refused': asWritten,
  'payment accepted': 'We have looked at this payment, and it pays your order.',
  'payment returned': 'We have looked at this payment, and your money goes back.',
  'payment failed': 'Your bank did not let the payment pass. Nothing was taken.',
  'set aside': 'We are looking into this payment. You need do nothing.',
  'refund requested': 'Your money is about to go back.',
  'refund put off': 'It takes longer than usual, and is tried again by itself.',
  'refund pending': 'Your money is on its way back.',
  'refund processed': 'Your bank shows it within five to seven working days.',
  'refund failed': 'Your money could not go back yet. We are looking into it.',
  'signature refused': 'A confirmation of a payment that was not genuine was turned down.',
}

/** An order as its buyer may read it: what happened in words for them, and no word of the gateway's. */
export function toldToBuyer(order: OrderDetails): OrderDetails {
  return {
    ...order,
    reviewReason:
      order.reviewReason === null ? null : 'We are looking into your payment. You need do nothing.',
    refunds: order.refunds.map(refundToldToBuyer),
    timeline: order.timeline.map(entryToldToBuyer),
  }
}

function entryToldToBuyer({ at, event, detail }: Entry): Entry {
  const told = Object.hasOwn(TOLD, event) ? TOLD[event] : undefined
  // A dispute goes by the gateway's name for its state.
  const name = told === undefined && event.startsWith('dispute ') ? 'dispute' : event
  return { at, event: name, detail: typeof told === 'function' ? told(detail) : (told ?? null) }
}

/** A refund as its buyer may read it. */
export function refundToldToBuyer(refund: Refund): Refund {
  if (refund.error === null) return refund
  const error =
    refund.status === 'FAILED'
      ? 'Your money could not go back. We are looking into it.'
      : 'It takes longer than usual, and is tried again by itself.'
  return { ...refund, error }
}
