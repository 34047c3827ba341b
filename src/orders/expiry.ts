import { releaseUse } from '../coupons/holds.ts'
import type { Stored } from '../db.ts'
import type { Uses } from '../deps.ts'
import { MINUTE_MS } from '../durations.ts'
import { sumOf } from '../money.ts'
import { requireOrder, type OrderDocument } from './order.ts'
import { transitionOrder } from './transitions.ts'

/** Until when a payment of it is taken without a question, and its coupon is held. */
export function graceEndOf(
  { settings }: Uses<'settings'>,
  { expiresAt }: Pick<OrderDocument, 'expiresAt'>,
): Date {
  return new Date(expiresAt.getTime() + settings.latePaymentGraceMinutes * MINUTE_MS)
}

/** Closes an open order whose time is over. Its coupon is held for as long as a payment is taken without a question. */
export async function expire(
  deps: Uses<'db' | 'now'>,
  { _id: id }: Pick<OrderDocument, '_id'>,
): Promise<void> {
  const expired = await transitionOrder(deps, {
    id,
    from: ['CREATED'],
    set: { status: 'EXPIRED' },
    note: { event: 'expired' },
  })
  // Somebody may have paid meanwhile; or closed it, and died before giving the coupon back.
  const { status } = expired ?? (await requireOrder(deps, id))
  if (status === 'EXPIRED') await releaseUse(deps, id)
}

/** Ends a review once nothing that was paid for the order is left with us. */
export async function closeReview(deps: Uses<'db' | 'now'>, id: string): Promise<void> {
  const captured = await deps.db.orm.payments.where({ orderId: id, status: 'captured' }).all()
  for (const payment of captured) if (await isKept(deps, payment)) return
  const closed = await transitionOrder(deps, {
    id,
    from: ['REVIEW'],
    set: { status: 'EXPIRED' },
    note: { event: 'review ended', detail: 'all that was paid was given back' },
  })
  if (closed) await releaseUse(deps, id)
}

/** A bank may have taken what the refunds left. */
async function isKept(
  { db }: Uses<'db'>,
  { gatewayPaymentId: paymentId, amountPaise, feePaise, lostPaise }: Stored<'payments'>,
): Promise<boolean> {
  if (!lostPaise) return true
  const made = await db.orm.refunds.where({ paymentId, status: 'PROCESSED' }).all()
  return sumOf(made) + lostPaise + (feePaise ?? 0) < amountPaise
}
