import type { Account, PaymentRow } from './account.ts'
import type { PaymentEntity } from './entities.ts'
import { paymentEvent } from './events.ts'
import { requireOrder } from './orders.ts'
import {
  authorizePayment,
  failPayment,
  requirePayment,
  settleCapture,
  signCheckout,
  startPayment,
} from './payments.ts'
import type { NewPayment } from './payments.ts'
import { Refusal } from './refusal.ts'
import { refundAtOnce } from './refunds.ts'

export type PayOutcome = 'success' | 'fail' | 'close' | 'authorized' | 'late' | 'double'

export type PayInput = Omit<NewPayment, 'orderId'> & {
  /** Default `success`. */
  outcome?: PayOutcome | undefined
  /** `late`: authorise by itself after so many milliseconds; without it, authorizeLate does. */
  lateAfterMs?: number | undefined
  /** Pay although the order is paid already. */
  force?: boolean | undefined
  /** The key that checkout was opened with; default the current one. */
  keyId?: string | undefined
}

/** The three fields that checkout hands to the browser. */
export type CheckoutAnswer = {
  razorpay_payment_id: string
  razorpay_order_id: string
  razorpay_signature: string
}

export type Paid = {
  outcome: PayOutcome
  orderId: string
  /** The payment, or the last one of a double; null where the dialog was closed. */
  payment: PaymentEntity | null
  /** Null where the browser got no success. */
  checkout: CheckoutAnswer | null
}

const AUTO_REFUND_AFTER_MS = 3 * 24 * 60 * 60 * 1000

/** One attempt of the buyer to pay an order; an order that is paid takes no other unless forced. */
export function pay(account: Account, orderId: string, input: PayInput = {}): Paid {
  const { order } = requireOrder(account, orderId)
  const outcome = input.outcome ?? 'success'
  if (outcome === 'close') return { outcome, orderId, payment: null, checkout: null }
  const isTaken = order.status === 'paid' || hasAuthorized(account, orderId)
  if (isTaken && input.force !== true && outcome !== 'late') {
    throw new Refusal('Payment already done for this order.')
  }
  const row = startPayment(account, { ...input, orderId })
  if (outcome === 'fail' || outcome === 'late') {
    failPayment(account, row)
    if (outcome === 'late' && input.lateAfterMs !== undefined) {
      row.lateAt = account.now().getTime() + input.lateAfterMs
    }
    return { outcome, orderId, payment: { ...row.payment }, checkout: null }
  }
  authorizeAndMaybeCapture(account, row, outcome !== 'authorized')
  if (outcome === 'double')
    return pay(account, orderId, { ...input, outcome: 'success', force: true })
  const key = account.keys.find(({ id }) => id === input.keyId) ?? account.keys[0]
  return {
    outcome,
    orderId,
    payment: { ...row.payment },
    checkout: {
      razorpay_payment_id: row.payment.id,
      razorpay_order_id: orderId,
      razorpay_signature: signCheckout(key.secret, orderId, row.payment.id),
    },
  }
}

/** A payment shown as failed turns out authorised, up to days later. */
export function authorizeLate(account: Account, paymentId: string): PaymentEntity {
  const row = requirePayment(account, paymentId)
  if (row.payment.status !== 'failed') throw new Refusal('Only a failed payment authorises late')
  const orderId = row.payment.order_id
  const isTaken =
    orderId !== null &&
    (requireOrder(account, orderId).order.status === 'paid' || hasAuthorized(account, orderId))
  authorizeAndMaybeCapture(account, row, !isTaken)
  if (isTaken) refundAtOnce(account, row)
  return { ...row.payment }
}

/** What Razorpay does by itself in time: late authorisations, captures, and refunds after three days. */
export function runDuePayments(account: Account): void {
  const now = account.now().getTime()
  for (const row of account.payments.values()) {
    if (row.lateAt !== null && row.lateAt <= now) authorizeLate(account, row.payment.id)
    if (row.payment.status !== 'authorized') continue
    if (row.captureAt !== null && row.captureAt <= now) captureNow(account, row)
    else if (row.authorizedMs !== null && row.authorizedMs + AUTO_REFUND_AFTER_MS <= now) {
      row.authorizedMs = null
      refundAtOnce(account, row)
    }
  }
}

function authorizeAndMaybeCapture(account: Account, row: PaymentRow, mayCapture: boolean): void {
  authorizePayment(account, row)
  const { payment } = row
  const authorized = paymentEvent('payment.authorized', payment)
  const orderRow = payment.order_id === null ? null : requireOrder(account, payment.order_id)
  const isAutomatic = orderRow?.capture ?? account.settings.autoCapture
  if (!mayCapture || !isAutomatic || orderRow === null) {
    account.emit([authorized])
    return
  }
  if (account.settings.autoCaptureDelayMs > 0) {
    row.captureAt = account.now().getTime() + account.settings.autoCaptureDelayMs
    account.emit([authorized])
    return
  }
  settleCapture(account, row)
  account.emit([
    authorized,
    paymentEvent('payment.captured', payment),
    paymentEvent('order.paid', payment, orderRow.order),
  ])
}

function captureNow(account: Account, row: PaymentRow): void {
  const { payment } = row
  settleCapture(account, row)
  if (payment.order_id === null) return
  const { order } = requireOrder(account, payment.order_id)
  account.emit([
    paymentEvent('payment.captured', payment),
    paymentEvent('order.paid', payment, order),
  ])
}

function hasAuthorized(account: Account, orderId: string): boolean {
  return [...account.payments.values()].some(
    ({ payment }) => payment.order_id === orderId && payment.status === 'authorized',
  )
}
