import type { Account, PaymentRow } from './account.ts'
import type { PaymentEntity, RefundEntity } from './entities.ts'
import { isId, newId, randomToken, unixSeconds } from './entities.ts'
import { refundEvent } from './events.ts'
import type { Body } from './fields.ts'
import { readAmount, readNotes, readReceipt } from './fields.ts'
import { ownAmount, requirePayment } from './payments.ts'
import { Refusal, refuseExtraFields } from './refusal.ts'

const SIX_MONTHS_MS = 183 * 24 * 60 * 60 * 1000

export type RefundRequest = { paymentId: string; body: Body; key: string | undefined }

/** POST /payments/:id/refund: `amount` in paise, else all that is left; one refund per idempotency key. */
export function createRefund(account: Account, request: RefundRequest): RefundEntity {
  const { key, body, paymentId } = request
  const fingerprint = JSON.stringify([paymentId, Object.entries(body).sort()])
  if (key !== undefined) {
    const known = findByKey(account, key, fingerprint)
    if (known) return known
  }
  const row = requirePayment(account, paymentId)
  refuseExtraFields(body, ['amount', 'speed', 'notes', 'receipt'])
  const amount = requireRefundable(account, row, body)
  const speed = body['speed'] ?? 'normal'
  if (speed !== 'normal' && speed !== 'optimum') {
    throw new Refusal('The selected speed is invalid.', { field: 'speed' })
  }
  const refund = addRefund(account, row, {
    amount,
    notes: readNotes(body['notes']),
    receipt: readReceipt(body['receipt']),
    speed_requested: speed,
  })
  if (key !== undefined) {
    account.refundKeys.set(key, { request: fingerprint, refundId: refund.id })
  }
  const answer = announce(account, refund, row.payment)
  return answer
}

/** The refund of this id, or what Razorpay answers to a wrong one. */
export function requireRefund(account: Account, id: string): RefundEntity {
  if (!isId('rfnd', id)) throw new Refusal(`${id} is not a valid id`)
  const row = account.refunds.get(id)
  if (!row) throw new Refusal('The id provided does not exist')
  return row.refund
}

/** PATCH /refunds/:id: the notes alone. */
export function editRefund(account: Account, id: string, body: Body): RefundEntity {
  const refund = requireRefund(account, id)
  refuseExtraFields(body, ['notes'])
  refund.notes = readNotes(body['notes'])
  return refund
}

/** The bank's word on a pending refund. */
export function settleRefund(
  account: Account,
  id: string,
  status: 'processed' | 'failed',
): RefundEntity {
  const refund = requireRefund(account, id)
  if (refund.status !== 'pending') throw new Refusal(`The refund is already ${refund.status}`)
  const { payment } = requirePayment(account, refund.payment_id)
  refund.status = status
  if (status === 'processed') refund.acquirer_data = { arn: randomToken(12) }
  else undoRefund(account, refund, payment)
  account.emit([refundEvent(`refund.${status}`, refund, payment)])
  return { ...refund }
}

/** Razorpay's own refund of an authorisation that nobody captured: `captured` stays false. */
export function refundAtOnce(account: Account, row: PaymentRow): void {
  const refund = addRefund(account, row, {
    amount: row.payment.amount,
    notes: [],
    receipt: null,
    speed_requested: 'normal',
  })
  announce(account, refund, row.payment)
}

function requireRefundable(
  account: Account,
  { payment, createdMs }: PaymentRow,
  body: Body,
): number {
  const { settings } = account
  if (payment.status === 'refunded') {
    throw new Refusal('The payment has been fully refunded already.')
  }
  if (payment.status !== 'captured') {
    throw new Refusal('The payment status should be captured for action to be taken')
  }
  const left = ownAmount(payment) - payment.amount_refunded
  const amount =
    body['amount'] === undefined || body['amount'] === null ? left : readAmount(body['amount'])
  if (amount < 100) {
    throw new Refusal('The amount must be at least INR 1.00', { field: 'amount' })
  }
  if (amount > left) {
    throw new Refusal('The refund amount provided is greater than amount captured.', {
      field: 'amount',
    })
  }
  if (account.now().getTime() - createdMs > SIX_MONTHS_MS) {
    throw new Refusal('Payments older than six months cannot be refunded.')
  }
  if (isDisputed(account, payment.id)) {
    throw new Refusal('Refund is not allowed while the payment is under dispute.')
  }
  if (settings.balancePaise !== null && settings.balancePaise < amount) {
    throw new Refusal(
      'Your account does not have enough balance to carry out the refund operation. You can add funds to your account from your Razorpay dashboard or capture new payments.',
    )
  }
  return amount
}

function findByKey(account: Account, key: string, fingerprint: string): RefundEntity | null {
  if (!/^[A-Za-z0-9_-]{10,}$/.test(key)) {
    throw new Refusal(
      'The idempotency key must be at least 10 characters of A-Z, a-z, 0-9, - and _.',
    )
  }
  const known = account.refundKeys.get(key)
  if (!known) return null
  if (known.request === fingerprint) return requireRefund(account, known.refundId)
  throw new Refusal('Different request with the same idempotency key has already been processed.', {
    status: account.settings.idempotencyConflictStatus,
  })
}

function addRefund(
  account: Account,
  { payment }: PaymentRow,
  asked: Pick<RefundEntity, 'amount' | 'notes' | 'receipt' | 'speed_requested'>,
): RefundEntity {
  const now = account.now()
  const refund: RefundEntity = {
    id: newId('rfnd'),
    entity: 'refund',
    amount: asked.amount,
    currency: payment.currency,
    payment_id: payment.id,
    notes: asked.notes,
    receipt: asked.receipt,
    acquirer_data: { arn: null },
    created_at: unixSeconds(now),
    batch_id: null,
    status: 'pending',
    speed_processed: 'normal',
    speed_requested: asked.speed_requested,
  }
  account.refunds.set(refund.id, { refund, createdMs: now.getTime() })
  moveRefunded(payment, asked.amount)
  if (account.settings.balancePaise !== null) account.settings.balancePaise -= asked.amount
  return refund
}

function announce(account: Account, refund: RefundEntity, payment: PaymentEntity): RefundEntity {
  const mode = account.settings.refunds
  if (mode === 'processed') {
    refund.status = 'processed'
    refund.acquirer_data = { arn: randomToken(12) }
  }
  const answer = { ...refund }
  account.emit([refundEvent('refund.created', refund, payment)])
  if (mode === 'processed') account.emit([refundEvent('refund.processed', refund, payment)])
  if (mode === 'failed') settleRefund(account, refund.id, 'failed')
  return answer
}

function undoRefund(account: Account, refund: RefundEntity, payment: PaymentEntity): void {
  moveRefunded(payment, -refund.amount)
  if (account.settings.balancePaise !== null) account.settings.balancePaise += refund.amount
}

function moveRefunded(payment: PaymentEntity, change: number): void {
  payment.amount_refunded += change
  const isFull = payment.amount_refunded >= ownAmount(payment)
  payment.refund_status = isFull ? 'full' : payment.amount_refunded > 0 ? 'partial' : null
  payment.status = isFull ? 'refunded' : payment.captured ? 'captured' : 'authorized'
}

function isDisputed(account: Account, paymentId: string): boolean {
  return [...account.disputes.values()].some(
    ({ dispute }) =>
      dispute.payment_id === paymentId && ['open', 'under_review'].includes(dispute.status),
  )
}
