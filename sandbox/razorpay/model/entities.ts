// What the API answers and webhooks carry, field by field as documented: paise and Unix seconds.
import { randomBytes } from 'node:crypto'

// Razorpay answers empty notes as an empty array and filled ones as an object.
export type Notes = Record<string, string> | readonly []

export type OrderEntity = {
  id: string
  entity: 'order'
  amount: number
  amount_paid: number
  amount_due: number
  currency: string
  receipt: string | null
  offer_id: null
  status: 'created' | 'attempted' | 'paid'
  attempts: number
  notes: Notes
  created_at: number
}

export type PaymentEntity = {
  id: string
  entity: 'payment'
  amount: number
  currency: string
  status: 'created' | 'authorized' | 'captured' | 'refunded' | 'failed'
  order_id: string | null
  invoice_id: null
  international: boolean
  method: 'card' | 'netbanking' | 'wallet' | 'upi'
  amount_refunded: number
  refund_status: 'partial' | 'full' | null
  captured: boolean
  description: string | null
  card_id: null
  bank: string | null
  wallet: string | null
  vpa: string | null
  email: string
  contact: string
  notes: Notes
  fee: number | null
  tax: number | null
  /** Only where the customer bears the fee. */
  fee_bearer?: 'customer'
  error_code: string | null
  error_description: string | null
  error_source: string | null
  error_step: string | null
  error_reason: string | null
  acquirer_data: Record<string, string | null>
  created_at: number
}

export type RefundEntity = {
  id: string
  entity: 'refund'
  amount: number
  currency: string
  payment_id: string
  notes: Notes
  receipt: string | null
  acquirer_data: { arn: string | null }
  created_at: number
  batch_id: null
  status: 'pending' | 'processed' | 'failed'
  speed_processed: 'normal' | 'instant'
  speed_requested: 'normal' | 'optimum'
}

export type DisputeStatus = 'open' | 'under_review' | 'won' | 'lost' | 'closed'
export type DisputePhase = 'fraud' | 'retrieval' | 'chargeback' | 'pre_arbitration' | 'arbitration'

export type DisputeEntity = {
  id: string
  entity: 'dispute'
  payment_id: string
  amount: number
  currency: string
  amount_deducted: number
  reason_code: string
  respond_by: number
  status: DisputeStatus
  phase: DisputePhase
  created_at: number
}

export type WebhookEntity = {
  id: string
  entity: 'webhook'
  url: string
  active: boolean
  secret_exists: boolean
  events: string[]
  created_at: number
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** So many letters and digits; 14, as in every id. */
export function randomToken(length = 14): string {
  let token = ''
  for (const byte of randomBytes(length)) token += ALPHABET[byte % ALPHABET.length] ?? '0'
  return token
}

export type IdPrefix = 'order' | 'pay' | 'rfnd' | 'disp' | 'acc'

/** An id such as `pay_` and 14 letters and digits. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${randomToken()}`
}

/** Whether it has the form of such an id. */
export function isId(prefix: IdPrefix, value: string): boolean {
  return new RegExp(`^${prefix}_[A-Za-z0-9]{14}$`).test(value)
}

/** Whole seconds since 1970, rounded down. */
export function unixSeconds(time: Date): number {
  return Math.floor(time.getTime() / 1000)
}
