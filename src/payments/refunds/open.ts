// A refund is written down before anything is asked of the gateway, under a key that stands for one intent.
import { isDuplicateKey } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import type { PaymentGateway } from '../../gateways/payments.ts'
import type { RefundDocument } from '../../orders/refunded.ts'

export type RefundCause = 'admin' | 'student' | 'duplicate' | 'late' | 'dashboard' | 'review'

export type NewRefund = {
  /** 10 to 40 of A-Z a-z 0-9 _ -, since it is the gateway's idempotency key as well. */
  key: string
  /** A digest of what was asked for, where the key was chosen by somebody else. */
  intent?: string
  gateway: string
  orderId: string | null
  paymentId: string
  amountPaise: number
  currency: string
  lineNos: number[]
  cause: RefundCause
  reason: string
  requestedBy?: string
}

/** The least, in the currency's smallest unit, that the gateway gives back; a currency it does not take has none. */
export function leastRefundOf(gateway: PaymentGateway, currency: string): number {
  return gateway.limits(currency)?.leastRefundPaise ?? Number.POSITIVE_INFINITY
}

/** Writes the intent down; the same key again answers what became of it. Throws KEY_REUSED for another intent. */
export async function openRefund(
  { db, now }: Uses<'db' | 'now'>,
  asked: NewRefund,
): Promise<RefundDocument> {
  const at = now()
  try {
    return await db.orm.refunds.create({
      key: asked.key,
      intent: asked.intent ?? null,
      gateway: asked.gateway,
      orderId: asked.orderId,
      paymentId: asked.paymentId,
      gatewayRefundId: null,
      amountPaise: asked.amountPaise,
      currency: asked.currency,
      lineNos: asked.lineNos.map(String),
      status: 'REQUESTED',
      cause: asked.cause,
      reason: asked.reason,
      requestedBy: asked.requestedBy ?? null,
      attempts: 0,
      nextAt: at,
      error: null,
      settledAt: null,
      createdAt: at,
      updatedAt: at,
    })
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
  }
  const known = await db.orm.refunds.where({ key: asked.key }).first()
  if (!known || !isSame(known, asked)) throw new DomainError('KEY_REUSED')
  return known
}

// All that is left is another amount for whoever asks a moment later, and the same intent.
function isSame(known: RefundDocument, asked: NewRefund): boolean {
  if (asked.intent !== undefined) return known.intent === asked.intent
  return (
    known.paymentId === asked.paymentId &&
    known.amountPaise === asked.amountPaise &&
    known.lineNos.join() === asked.lineNos.join()
  )
}
