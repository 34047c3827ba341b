import type { Ledger, LedgerOrder, LedgerPayment } from '../../support/ledger.ts'
import type { Books } from './books.ts'

/** What we hold to be given back or on its way. */
const isGiven = ({ status }: { status: string }) => status === 'PENDING' || status === 'PROCESSED'

const sum = (rows: readonly { amountPaise: number }[]) =>
  rows.reduce((total, { amountPaise }) => total + amountPaise, 0)

/** What is with us no more, by refunds and by disputes that were lost. */
export function gonePaise({ refundedPaise, disputes }: LedgerPayment): number {
  return disputes.reduce((sum, { lostPaise }) => sum + lostPaise, refundedPaise)
}

/** Where what we say of a payment differs from what the bank says. */
export function paymentFaults(books: Books, theirs: LedgerOrder, payment: LedgerPayment): string[] {
  const ours = books.payments.get(payment.id)
  const order = books.orders.get(theirs.reference ?? '')
  const given = books.refunds.filter((one) => one.paymentId === payment.id && isGiven(one))
  const faults: string[] = []
  const say = (fault: string) => faults.push(`payment ${payment.id} ${fault}`)
  if (sum(given) !== payment.refundedPaise)
    say(`gave back ${payment.refundedPaise} paise, and we say ${sum(given)}`)
  for (const { id, status, amountPaise } of payment.refunds) {
    const rows = books.refunds.filter(({ gatewayRefundId }) => gatewayRefundId === id)
    const [row] = rows
    if (rows.length !== 1) say(`has refund ${id}, and we have ${rows.length} of it`)
    else if (row?.amountPaise !== amountPaise || row.status !== status.toUpperCase())
      say(`has refund ${id} ${status}, and we say ${row?.status ?? 'nothing'}`)
  }
  if (!payment.captured) {
    if (ours?.status === 'captured') say('is not captured, and we say it is')
    return faults
  }
  if (!ours || !order) return [...faults, `payment ${payment.id} is captured and unknown to us`]
  if (ours.amountPaise !== payment.amountPaise || ours.currency !== payment.currency)
    say('is of another amount with us')
  if (ours.orderId !== order._id) say('hangs on no order or another one')
  if (ours.status !== payment.status) say(`is ${payment.status}, and we say ${ours.status}`)
  const isRight = payment.amountPaise === order.amountPaise && payment.currency === order.currency
  const isReturned = gonePaise(payment) >= payment.amountPaise
  const isHeld = order.paymentId === payment.id
  if (isHeld && !isRight) say('pays an order it does not match')
  if (isHeld && order.status !== 'FULFILLED') say(`pays an order that is ${order.status}`)
  if (!isHeld && !isReturned && !ours.quarantine) say('is neither held, given back nor set aside')
  // Too late, and the bank would not take it back: somebody has to decide.
  const isWaiting = Boolean(ours.quarantine) && order.status === 'EXPIRED'
  if (isRight && !isReturned && !order.paymentId && !isWaiting)
    say(`leaves its order ${order.status}`)
  return faults
}

/** Nothing of ours may be unknown to the bank. */
export function strangers({ payments, refunds, orders, ledger }: Books): string[] {
  const paid = new Set(ledger.flatMap((order) => order.payments.map(({ id }) => id)))
  const given = new Set(
    ledger.flatMap((order) => order.payments.flatMap((one) => one.refunds.map(({ id }) => id))),
  )
  return [
    ...[...payments.keys()].filter((id) => !paid.has(id)).map((id) => `payment ${id} is made up`),
    ...refunds
      .filter((row) => isGiven(row) && !given.has(row.gatewayRefundId ?? ''))
      .map(({ key }) => `refund ${key} is made up`),
    ...[...orders.values()]
      .filter(({ paymentId }) => paymentId && !paid.has(paymentId))
      .map(({ _id }) => `order ${_id} is paid by nothing`),
  ]
}

/** Where the sums differ, in paise. */
export function totals(books: Books, ledger: Ledger): string[] {
  const captured = new Set(
    books.ledger.flatMap((order) =>
      order.payments.filter((one) => one.captured).map(({ id }) => id),
    ),
  )
  const ours = {
    capturedPaise: sum(
      [...books.payments.values()].filter((row) => captured.has(row.gatewayPaymentId)),
    ),
    refundedPaise: sum(books.refunds.filter(isGiven)),
  }
  return (['capturedPaise', 'refundedPaise'] as const)
    .filter((name) => ours[name] !== ledger[name])
    .map((name) => `${name} in all: ${ledger[name]} there, ${ours[name]} here`)
}
