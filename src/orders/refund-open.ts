// A refund is written down before anything is asked of Razorpay, under a key that stands for one intent.
import { isDuplicateKey } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import type { RefundDocument } from './order.ts'

/** The least that Razorpay gives back. */
export const LEAST_REFUND = 100

export type RefundCause = 'admin' | 'student' | 'duplicate' | 'dashboard'

export type NewRefund = {
  /** 10 to 40 of A-Z a-z 0-9 _ -, since it is Razorpay's idempotency key as well. */
  key: string
  orderId: string | null
  paymentId: string
  amountPaise: number
  currency: string
  lineNos: number[]
  cause: RefundCause
  reason: string
  requestedBy?: string
}

/** Writes the intent down; the same key again answers what became of it. */
export async function openRefund(
  { db, now }: Uses<'db' | 'now'>,
  asked: NewRefund,
): Promise<RefundDocument> {
  const at = now()
  try {
    return await db.orm.refunds.create({
      key: asked.key,
      orderId: asked.orderId,
      paymentId: asked.paymentId,
      razorpayRefundId: null,
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
  const isSame =
    known?.paymentId === asked.paymentId &&
    known.amountPaise === asked.amountPaise &&
    known.lineNos.join() === asked.lineNos.join()
  if (!known || !isSame) throw new DomainError('KEY_REUSED')
  return known
}
