// Razorpay's own lists, for what no open order leads to: refunds and disputes whose event was lost, payments that
// came when nobody looked any more. Other products may share the account: what is odd is passed over.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { isDatabaseDown } from '../../db.ts'
import { RazorpayFailure } from '../../gateways/razorpay/failure.ts'
import type { ListPage, Period } from '../../gateways/razorpay/lists.ts'
import type {
  RazorpayDispute,
  RazorpayPayment,
  RazorpayRefund,
} from '../../gateways/razorpay/shapes.ts'
import type { Keep } from '../../lease.ts'
import { sumOf } from '../../money.ts'
import type { Till } from '../deps.ts'
import { applyDispute } from '../disputes.ts'
import type { PaymentDocument } from '../record/payments.ts'
import { adoptRefund } from '../refunds/outcome.ts'
import { takeIn } from './reconciler.ts'

const HOUR_MS = 60 * 60_000
const FIRST_REACH_MS = 7 * 24 * HOUR_MS
// What was read stays read if a later part of a long backlog fails.
const WINDOW_MS = 6 * HOUR_MS

/** Each list by itself: one that fails keeps nobody from the others. */
export async function readLists(deps: Till, keep: Keep): Promise<void> {
  const { listPayments, listRefunds, listDisputes } = deps.razorpay
  const reads = [
    () => readSince(deps, keep, { name: 'payments', list: listPayments, take: takePayment }),
    () => settleStrays(deps, keep),
    () => readSince(deps, keep, { name: 'refunds', list: listRefunds, take: takeRefund }),
    () => readPages(deps, keep, { pages: listDisputes(), take: takeDispute }),
  ]
  const failures: RazorpayFailure[] = []
  for (const read of reads) {
    try {
      await read()
    } catch (error) {
      if (!(error instanceof RazorpayFailure)) throw error
      failures.push(error)
    }
  }
  if (failures[0]) throw failures[0]
}

type Take<T> = (deps: Till, item: T) => Promise<void>
type Periodic<T> = {
  name: string
  list: (period: Period) => AsyncIterable<ListPage<T>>
  take: Take<T>
}

/** What was created since the last read, an hour of it again, since the lists lag. */
async function readSince<T extends { id: string }>(
  deps: Till,
  keep: Keep,
  { name, list, take }: Periodic<T>,
): Promise<void> {
  const fact = `razorpay-${name}-read-until`
  const end = deps.now().getTime()
  const known = await deps.db.orm.facts.where({ name: fact }).first()
  let from = Math.min(known ? Date.parse(known.value) : end - FIRST_REACH_MS, end)
  do {
    const to = Math.min(from + WINDOW_MS, end)
    const period = { from: new Date(from - HOUR_MS), to: new Date(to) }
    if (!(await readPages(deps, keep, { pages: list(period), take }))) return
    const value = new Date(to).toISOString()
    await deps.db.orm.facts
      .where({ name: fact })
      .upsert({ create: { name: fact, value }, update: { value } })
    from = to
  } while (from < end)
}

type Pages<T> = { pages: AsyncIterable<ListPage<T>>; take: Take<T> }

/** False when the work is no longer ours. */
async function readPages<T extends { id: string }>(
  deps: Till,
  keep: Keep,
  { pages, take }: Pages<T>,
): Promise<boolean> {
  for await (const { items, unreadable } of pages) {
    if (unreadable > 0)
      deps.log.warn({ unreadable }, 'a list of Razorpay holds what is not readable')
    for (const item of items) {
      if (!(await keep())) return false
      await tolerate(deps, item.id, () => take(deps, item))
    }
  }
  return true
}

/** One record's trouble is logged and hides no other; an outage is everybody's. */
async function tolerate(deps: Till, id: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (isOutage(error)) throw error
    deps.log.warn({ err: error, id }, 'a listed record was passed over')
  }
}

const OUTAGES = ['unreachable', 'timeout', 'throttled', 'server']

function isOutage(error: unknown): boolean {
  return isDatabaseDown(error) || (error instanceof RazorpayFailure && OUTAGES.includes(error.kind))
}

async function takePayment(deps: Till, payment: RazorpayPayment): Promise<void> {
  if (payment.status === 'created' || payment.status === 'failed') return
  const seen = await deps.db.orm.payments.where({ razorpayPaymentId: payment.id }).first()
  if (seen?.status === payment.status && (await isAccountedFor(deps, seen))) return
  await takeIn(deps, payment)
}

async function takeRefund(deps: Till, refund: RazorpayRefund): Promise<void> {
  const seen = await deps.db.orm.refunds.where({ razorpayRefundId: refund.id }).first()
  if (seen?.settledAt && seen.status === refund.status.toUpperCase()) return
  await takeIn(deps, await deps.razorpay.fetchPayment(refund.paymentId))
  await adoptRefund(deps, refund)
}

async function takeDispute(deps: Till, dispute: RazorpayDispute): Promise<void> {
  const seen = await deps.db.orm.disputes.where({ razorpayDisputeId: dispute.id }).first()
  if (seen?.status === dispute.status && seen.settledAt) return
  await applyDispute(deps, dispute)
}

/** Money written down by somebody who died before finding out what it was for. */
async function settleStrays(deps: Till, keep: Keep): Promise<void> {
  const since = new Date(deps.now().getTime() - FIRST_REACH_MS)
  const captured = await deps.db.orm.payments
    .where({ status: 'captured' })
    .where(MongoFieldFilter.gte('updatedAt', since))
    .all()
  for (const payment of captured) {
    if (await isAccountedFor(deps, payment)) continue
    if (!(await keep())) return
    const { razorpayPaymentId: id } = payment
    await tolerate(deps, id, async () => takeIn(deps, await deps.razorpay.fetchPayment(id)))
  }
}

/** Whether somebody who wrote a payment down also came to do what follows from it. */
async function isAccountedFor({ db }: Till, payment: PaymentDocument): Promise<boolean> {
  const { razorpayPaymentId: paymentId, orderId, quarantine, status, amountPaise } = payment
  if (status !== 'captured' || quarantine) return true
  const order = orderId ? await db.orm.orders.where({ _id: orderId }).first() : null
  if (order?.paymentId === paymentId) return true
  const refunds = await db.orm.refunds.where({ paymentId }).all()
  return sumOf(refunds.filter((refund) => refund.status !== 'FAILED')) >= amountPaise
}
