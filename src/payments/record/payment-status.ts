import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { sumOf } from '../../money.ts'
import type { RefundDocument } from '../../orders/refunded.ts'
import type { Till } from '../deps.ts'
import { type PaymentDocument, storedStatus } from './payments.ts'

const MAX_PASSES = 4

/**
 * `refunded` is what its refunds make of a captured payment, and one that fails takes it back; so it follows from
 * them and not from the payment in some event. Looked at again after each write: of two at once, one sees both.
 */
export async function alignPayment(deps: Till, paymentId: string): Promise<void> {
  const { db, now } = deps
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const [payment, refunds] = await Promise.all([
      db.orm.payments.where({ razorpayPaymentId: paymentId }).first(),
      db.orm.refunds.where({ paymentId }).all(),
    ])
    if (!payment) return
    const { _id, capturedAt, status } = payment
    const next = await statusOf(deps, payment, refunds)
    if (next === status) return
    const capture = next === 'captured' && !capturedAt ? { capturedAt: now() } : {}
    await db.orm.payments
      .where({ _id })
      .where(MongoFieldFilter.eq('status', status))
      .update({ status: next, updatedAt: now(), ...capture })
  }
}

async function statusOf(
  { razorpay }: Till,
  { razorpayPaymentId, amountPaise, status }: PaymentDocument,
  refunds: readonly RefundDocument[],
): Promise<PaymentDocument['status']> {
  const given = refunds.filter((one) => one.status === 'PENDING' || one.status === 'PROCESSED')
  const isWhole = sumOf(given) >= amountPaise
  if (status === 'captured') return isWhole ? 'refunded' : status
  const hasFailed = refunds.some((one) => one.status === 'FAILED' && one.razorpayRefundId)
  if (status !== 'refunded' || isWhole || !hasFailed) return status
  // It may have been captured before, or only authorized.
  return storedStatus(await razorpay.fetchPayment(razorpayPaymentId))
}
