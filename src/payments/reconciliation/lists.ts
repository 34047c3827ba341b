// The gateways' own lists, for what no open order leads to: refunds and disputes whose event was lost, payments that
// came when nobody looked any more. Other products may share the account: what is odd is passed over.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { databaseFailureOf } from '../../db-failure.ts'
import type { Uses } from '../../deps.ts'
import { DAY_MS, HOUR_MS } from '../../durations.ts'
import { GatewayFailure, isGatewayOutage } from '../../gateways/gateway-failure.ts'
import type {
  GatewayDispute,
  GatewayPage,
  GatewayPayment,
  GatewayRefund,
  PaymentGateway,
  Period,
} from '../../gateways/payments.ts'
import type { Keep } from '../../lease.ts'
import { sumOf } from '../../money.ts'
import { type PaymentDeps, gatewayOf } from '../deps.ts'
import { applyDispute } from '../disputes.ts'
import { ownPaise } from '../record/amounts.ts'
import { type PaymentDocument, findPayment } from '../record/payments.ts'
import { settingAside } from '../record/unreadable.ts'
import { adoptRefund } from '../refunds/outcome.ts'
import { readAgain, setAsideListed } from './read-again.ts'
import { reconcilePayment } from './reconciler.ts'

const FIRST_REACH_MS = 7 * DAY_MS
// What was read stays read if a later part of a long backlog fails.
const WINDOW_MS = 6 * HOUR_MS

/** Each list by itself: one that fails keeps nobody from the others. Throws the first failure when all are read. */
export async function readLists(deps: PaymentDeps, keep: Keep): Promise<void> {
  const reads = deps.gateways.all.flatMap((gateway) => [
    () => readSince(deps, keep, { gateway, name: 'payments', ...paymentsOf(gateway) }),
    () => reconcileUnaccounted(deps, keep, gateway),
    () => readSince(deps, keep, { gateway, name: 'refunds', ...refundsOf(gateway) }),
    () => readPages(deps, keep, { pages: gateway.listDisputes(), take: reconcileListedDispute }),
    () => readAgain(deps, keep, gateway),
  ])
  const failures: GatewayFailure[] = []
  for (const read of reads) {
    try {
      await read()
    } catch (error) {
      if (!(error instanceof GatewayFailure)) throw error
      failures.push(error)
    }
  }
  if (failures[0]) throw failures[0]
}

const paymentsOf = ({ listPayments: list }: PaymentGateway) => ({
  list,
  take: reconcileListedPayment,
})
const refundsOf = ({ listRefunds: list }: PaymentGateway) => ({ list, take: reconcileListedRefund })

type Take<T> = (deps: PaymentDeps, item: T) => Promise<unknown>
type Periodic<T> = {
  gateway: PaymentGateway
  name: string
  list: (period: Period) => AsyncIterable<GatewayPage<T>>
  take: Take<T>
}

/** What was created since the last read, an hour of it again, since the lists lag. */
async function readSince<T extends { id: string }>(
  deps: PaymentDeps,
  keep: Keep,
  { gateway, name, list, take }: Periodic<T>,
): Promise<void> {
  const fact = `${gateway.name}-${name}-read-until`
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

type Pages<T> = { pages: AsyncIterable<GatewayPage<T>>; take: Take<T> }

/** False when the work is no longer ours. */
async function readPages<T extends { id: string }>(
  deps: PaymentDeps,
  keep: Keep,
  { pages, take }: Pages<T>,
): Promise<boolean> {
  for await (const { items, unreadable } of pages) {
    if (unreadable.length > 0)
      deps.log.warn(
        { count: unreadable.length },
        'a list of the gateway holds what is not readable',
      )
    for (const entity of unreadable)
      await tolerate(deps, entity.id ?? entity.kind, () => setAsideListed(deps, entity))
    for (const item of items) {
      if (!(await keep())) return false
      await tolerate(deps, item.id, () => take(deps, item))
    }
  }
  return true
}

/** One record's trouble is logged and hides no other; an outage is everybody's. */
async function tolerate(
  deps: Uses<'db' | 'now' | 'log'>,
  id: string,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await settingAside(deps, null, work)
  } catch (error) {
    if (isOutage(error)) throw error
    deps.log.warn({ err: error, id }, 'a listed record was passed over')
  }
}

function isOutage(error: unknown): boolean {
  // A statement that was late may be late for this record alone, each time.
  return databaseFailureOf(error) === 'away' || isGatewayOutage(error)
}

async function reconcileListedPayment(deps: PaymentDeps, payment: GatewayPayment): Promise<void> {
  if (payment.status === 'created' || payment.status === 'failed') return
  const seen = await findPayment(deps, payment.id)
  if (seen?.status === payment.status && (await isAccountedFor(deps, seen))) return
  await reconcilePayment(deps, payment)
}

async function reconcileListedRefund(deps: PaymentDeps, refund: GatewayRefund): Promise<void> {
  const seen = await deps.db.orm.refunds.where({ gatewayRefundId: refund.id }).first()
  if (seen?.settledAt && seen.status === refund.status.toUpperCase()) return
  await reconcilePayment(deps, await gatewayOf(deps, refund).fetchPayment(refund.paymentId))
  await adoptRefund(deps, refund)
}

async function reconcileListedDispute(deps: PaymentDeps, dispute: GatewayDispute): Promise<void> {
  const seen = await deps.db.orm.disputes.where({ gatewayDisputeId: dispute.id }).first()
  if (seen?.status === dispute.status && seen.settledAt) return
  await applyDispute(deps, dispute)
}

/** Money written down by somebody who died before finding out what it was for. */
async function reconcileUnaccounted(
  deps: PaymentDeps,
  keep: Keep,
  gateway: PaymentGateway,
): Promise<void> {
  const since = new Date(deps.now().getTime() - FIRST_REACH_MS)
  const captured = await deps.db.orm.payments
    .where({ status: 'captured', gateway: gateway.name })
    .where(MongoFieldFilter.gte('updatedAt', since))
    .all()
  for (const payment of captured) {
    if (await isAccountedFor(deps, payment)) continue
    if (!(await keep())) return
    const { gatewayPaymentId: id } = payment
    await tolerate(deps, id, async () => reconcilePayment(deps, await gateway.fetchPayment(id)))
  }
}

/** Whether somebody who wrote a payment down also came to do what follows from it. */
async function isAccountedFor({ db }: Uses<'db'>, payment: PaymentDocument): Promise<boolean> {
  const { gatewayPaymentId: paymentId, orderId, quarantine, status, lostPaise } = payment
  if (status !== 'captured' || quarantine) return true
  const order = orderId ? await db.orm.orders.where({ _id: orderId }).first() : null
  if (order?.paymentId === paymentId) return true
  const refunds = await db.orm.refunds.where({ paymentId }).all()
  const given = sumOf(refunds.filter((refund) => refund.status !== 'FAILED'))
  return given + (lostPaise ?? 0) >= ownPaise(payment)
}
