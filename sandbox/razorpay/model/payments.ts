import { createHmac } from 'node:crypto'
import type { Account, PaymentRow } from './account.ts'
import type { PaymentEntity } from './entities.ts'
import { isId, newId, unixSeconds } from './entities.ts'
import { paymentEvent } from './events.ts'
import type { Body } from './fields.ts'
import { readAmount, readCurrency, readNotes } from './fields.ts'
import { requireOrder } from './orders.ts'
import { Refusal, refuseExtraFields } from './refusal.ts'

export type NewPayment = {
  orderId: string
  /** Paise; other than the order's where a buyer tampers with it. */
  amount?: number | undefined
  currency?: string | undefined
  method?: PaymentEntity['method'] | undefined
  email?: string | undefined
  contact?: string | undefined
}

/** The payment of this id, or what Razorpay answers to a wrong one. */
export function requirePayment(account: Account, id: string): PaymentRow {
  if (!isId('pay', id)) throw new Refusal(`${id} is not a valid id`)
  const row = account.payments.get(id)
  if (!row) throw new Refusal('The id provided does not exist')
  return row
}

/** An attempt to pay, in paise; without amount or currency, what the order asks for. */
export function startPayment(account: Account, input: NewPayment): PaymentRow {
  const { order } = requireOrder(account, input.orderId)
  const now = account.now()
  const method = input.method ?? 'upi'
  const asked = input.amount ?? order.amount
  const onTop = account.settings.feeBearer === 'customer' ? feeOf(asked) : null
  const payment: PaymentEntity = {
    id: newId('pay'),
    entity: 'payment',
    amount: asked + (onTop?.fee ?? 0),
    currency: input.currency ?? order.currency,
    status: 'created',
    order_id: order.id,
    invoice_id: null,
    international: false,
    method,
    amount_refunded: 0,
    refund_status: null,
    captured: false,
    description: null,
    card_id: null,
    bank: method === 'netbanking' ? 'HDFC' : null,
    wallet: method === 'wallet' ? 'payzapp' : null,
    vpa: method === 'upi' ? 'success@razorpay' : null,
    email: input.email ?? 'buyer@example.com',
    contact: input.contact ?? '+919000090000',
    notes: order.notes,
    fee: onTop?.fee ?? null,
    tax: onTop?.tax ?? null,
    ...(onTop && { fee_bearer: 'customer' as const }),
    error_code: null,
    error_description: null,
    error_source: null,
    error_step: null,
    error_reason: null,
    acquirer_data: {},
    created_at: unixSeconds(now),
  }
  const row = {
    payment,
    createdMs: now.getTime(),
    authorizedMs: null,
    lateAt: null,
    captureAt: null,
  }
  account.payments.set(payment.id, row)
  order.attempts += 1
  if (order.status === 'created') order.status = 'attempted'
  return row
}

/** The buyer gave up, or the bank said no; it may still authorise late. */
export function failPayment(account: Account, { payment }: PaymentRow): void {
  Object.assign(payment, {
    status: 'failed',
    error_code: 'BAD_REQUEST_ERROR',
    error_description: 'Your payment has been cancelled. Try again or complete the payment later.',
    error_source: 'customer',
    error_step: 'payment_authentication',
    error_reason: 'payment_cancelled',
  } satisfies Partial<PaymentEntity>)
  account.emit([paymentEvent('payment.failed', payment)])
}

/** The bank has set the money aside; nothing is told yet. */
export function authorizePayment(account: Account, row: PaymentRow): void {
  Object.assign(row.payment, {
    status: 'authorized',
    error_code: null,
    error_description: null,
    error_source: null,
    error_step: null,
    error_reason: null,
    acquirer_data: { rrn: String(Math.floor(row.createdMs / 10)) },
  } satisfies Partial<PaymentEntity>)
  row.authorizedMs = account.now().getTime()
  row.lateAt = null
}

/** Moves the money, all of it; the caller emits, since authorisation and capture may share one occurrence. */
export function settleCapture(account: Account, row: PaymentRow): void {
  const { payment } = row
  payment.status = 'captured'
  payment.captured = true
  if (payment.fee_bearer === undefined) Object.assign(payment, feeOf(payment.amount))
  row.captureAt = null
  if (account.settings.balancePaise !== null) account.settings.balancePaise += payment.amount
  if (payment.order_id === null) return
  const { order } = requireOrder(account, payment.order_id)
  order.status = 'paid'
  order.amount_paid += ownAmount(payment)
  order.amount_due = Math.max(0, order.amount - order.amount_paid)
}

/** POST /payments/:id/capture: the whole amount, once, and never for an order that is paid. */
export function capturePayment(account: Account, id: string, body: Body): PaymentEntity {
  const row = requirePayment(account, id)
  const { payment } = row
  refuseExtraFields(body, ['amount', 'currency'])
  const amount = readAmount(body['amount'])
  if (payment.status === 'captured' || payment.status === 'refunded') {
    throw new Refusal('This payment has already been captured')
  }
  if (payment.status !== 'authorized') {
    throw new Refusal(
      'Only payments which have been authorized and not yet captured can be captured',
    )
  }
  const isWhole = account.settings.captures === 'authorized'
  if (amount !== (isWhole ? payment.amount : ownAmount(payment))) {
    throw new Refusal('Capture amount must be equal to the amount authorized.', { field: 'amount' })
  }
  if (body['currency'] !== undefined && readCurrency(body['currency']) !== payment.currency) {
    throw new Refusal('Capture currency must be equal to the currency authorized.', {
      field: 'currency',
    })
  }
  if (payment.order_id !== null) {
    const { order } = requireOrder(account, payment.order_id)
    if (order.status === 'paid') throw new Refusal('The order is already paid')
    settleCapture(account, row)
    account.emit([
      paymentEvent('payment.captured', payment),
      paymentEvent('order.paid', payment, order),
    ])
  } else {
    settleCapture(account, row)
    account.emit([paymentEvent('payment.captured', payment)])
  }
  return payment
}

/** PATCH /payments/:id: the notes alone. */
export function editPayment(account: Account, id: string, body: Body): PaymentEntity {
  const { payment } = requirePayment(account, id)
  refuseExtraFields(body, ['notes'])
  payment.notes = readNotes(body['notes'])
  return payment
}

/** The signature that checkout hands to the browser, in hex, by the secret of the key it was opened with. */
export function signCheckout(secret: string, orderId: string, paymentId: string): string {
  return createHmac('sha256', secret).update(`${orderId}|${paymentId}`).digest('hex')
}

/** 2 % and GST on it, in paise; `fee` has both. */
function feeOf(amount: number): { fee: number; tax: number } {
  return { fee: Math.round(amount * 0.0236), tax: Math.round(amount * 0.0036) }
}

/** What of it is the merchant's: the customer's fee is Razorpay's, and not refunded. */
export function ownAmount({ amount, fee, fee_bearer: bearer }: PaymentEntity): number {
  return bearer === 'customer' ? amount - (fee ?? 0) : amount
}
