// Razorpay's own lists, for what no open order leads to: refunds and disputes whose event was lost, payments that
// came when nobody looked any more.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import type { Keep } from '../lease.ts'
import { applyDispute } from './disputes.ts'
import type { PaymentDocument, Till } from './order.ts'
import { takeIn } from './reconciler.ts'
import { adoptRefund } from './refund-outcome.ts'

const CURSOR = 'razorpay-lists-read-until'
const HOUR_MS = 60 * 60_000
const FIRST_REACH_MS = 7 * 24 * HOUR_MS

export async function readLists(deps: Till, keep: Keep): Promise<void> {
  const to = deps.now()
  const known = await deps.db.orm.facts.where({ name: CURSOR }).first()
  const since = known ? Date.parse(known.value) : to.getTime() - FIRST_REACH_MS
  // Overlapping by an hour, since the lists lag.
  const period = { from: new Date(Math.min(since, to.getTime()) - HOUR_MS), to }
  for (const payment of await deps.razorpay.listPayments(period)) {
    if (payment.status === 'created' || payment.status === 'failed') continue
    const seen = await deps.db.orm.payments.where({ razorpayPaymentId: payment.id }).first()
    if (seen?.status === payment.status && (await isAccountedFor(deps, seen))) continue
    if (!(await keep())) return
    await takeIn(deps, payment)
  }
  await settleStrays(deps, period.from, keep)
  for (const refund of await deps.razorpay.listRefunds(period)) {
    const seen = await deps.db.orm.refunds.where({ razorpayRefundId: refund.id }).first()
    if (seen?.settledAt && seen.status === refund.status.toUpperCase()) continue
    if (!(await keep())) return
    await takeIn(deps, await deps.razorpay.fetchPayment(refund.paymentId))
    await adoptRefund(deps, refund)
  }
  for (const dispute of await deps.razorpay.listDisputes()) {
    const seen = await deps.db.orm.disputes.where({ razorpayDisputeId: dispute.id }).first()
    if (seen?.status === dispute.status) continue
    if (!(await keep())) return
    await applyDispute(deps, dispute)
  }
  const value = to.toISOString()
  await deps.db.orm.facts
    .where({ name: CURSOR })
    .upsert({ create: { name: CURSOR, value }, update: { value } })
}

/** Money written down by somebody who died before finding out what it was for. */
async function settleStrays(deps: Till, since: Date, keep: Keep): Promise<void> {
  const captured = await deps.db.orm.payments
    .where({ status: 'captured' })
    .where(MongoFieldFilter.gte('updatedAt', since))
    .all()
  for (const payment of captured) {
    if (await isAccountedFor(deps, payment)) continue
    if (!(await keep())) return
    await takeIn(deps, await deps.razorpay.fetchPayment(payment.razorpayPaymentId))
  }
}

/** Whether somebody who wrote a payment down also came to do what follows from it. */
async function isAccountedFor({ db }: Till, payment: PaymentDocument): Promise<boolean> {
  const { razorpayPaymentId: paymentId, orderId, quarantine, status } = payment
  if (status !== 'captured' || quarantine) return true
  const order = orderId ? await db.orm.orders.where({ _id: orderId }).first() : null
  if (order?.paymentId === paymentId) return true
  const refunds = await db.orm.refunds.where({ paymentId }).all()
  return refunds.some((refund) => refund.status !== 'FAILED')
}
