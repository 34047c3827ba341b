import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import type { Uses } from '../../deps.ts'
import { sumOf } from '../../money.ts'
import type { RefundDocument } from '../../orders/refunded.ts'
import { gatewayOf } from '../deps.ts'
import { ownPaise } from './amounts.ts'
import { findPayment, type PaymentDocument } from './payments.ts'

const MAX_PASSES = 4

type Needs = Uses<'db' | 'now' | 'gateways'>

/**
 * `refunded` is what its refunds make of a captured payment, and one that fails takes it back; so it follows from
 * them and not from the payment in some event. Looked at again after each write: of two at once, one sees both.
 */
export async function alignPayment(deps: Needs, paymentId: string): Promise<void> {
  const { db, now } = deps
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const [payment, refunds] = await Promise.all([
      findPayment(deps, paymentId),
      db.orm.refunds.where({ paymentId }).all(),
    ])
    if (!payment) return
    const { _id, capturedAt, status } = payment
    const next = await statusOf(deps, payment, refunds)
    if (next === status) return
    const capture =
      next === 'captured' && !capturedAt ? { capturedAt: payment.madeAt ?? now() } : {}
    await db.orm.payments
      .where({ _id })
      .where(MongoFieldFilter.eq('status', status))
      .update({ status: next, updatedAt: now(), ...capture })
  }
}

async function statusOf(
  deps: Uses<'gateways'>,
  payment: PaymentDocument,
  refunds: readonly RefundDocument[],
): Promise<PaymentDocument['status']> {
  const { status } = payment
  const made = refunds.filter((one) => one.status === 'PENDING' || one.status === 'PROCESSED')
  const isWhole = sumOf(made) >= ownPaise(payment)
  if (status === 'captured') return isWhole ? 'refunded' : status
  const hasFailed = refunds.some((one) => one.status === 'FAILED' && one.gatewayRefundId)
  if (status !== 'refunded' || isWhole || !hasFailed) return status
  // It may have been captured before, or only authorized.
  return (await gatewayOf(deps, payment).fetchPayment(payment.gatewayPaymentId)).status
}
