import {
  MongoAndExpr,
  MongoFieldFilter,
  MongoOrExpr,
  type MongoFilterExpr,
} from '@prisma/orm-mongo/query-ast/execution'
import { MINUTE_MS, DAY_MS } from '../durations.ts'
import type { Page, PageOf } from '../fields.ts'
import type { OrderDocument } from '../orders/order.ts'
import { withRefunds, type SoldOrder } from '../orders/reads.ts'
import { publicRefund, type Refund } from '../orders/refunded.ts'
import { NEWEST_FIRST, readPage } from '../paging.ts'
import type { PaymentDeps } from '../payments/deps.ts'
import type { PaymentDocument } from '../payments/record/payments.ts'

const MOST = 100
const PATIENCE_MS = 5 * MINUTE_MS

export type StrayPayment = {
  gateway: string
  paymentId: string
  orderId: string | null
  amountPaise: number
  currency: string
  status: string
  reason: string | null
  createdAt: Date
}

/** What a gateway has and we cannot read, by its ids; `orderId` is ours. */
export type Unread = {
  gateway: string
  kind: string
  id: string | null
  paymentId: string | null
  orderId: string | null
  reason: string
  createdAt: Date
}

export type Stuck = PageOf<SoldOrder & { reason: string | null }> & {
  payments: StrayPayment[]
  refunds: Refund[]
  events: {
    id: string
    event: string
    attempts: number
    outcome: string | null
    receivedAt: Date
  }[]
  unreadable: Unread[]
}

/**
 * Whatever a person should look at: orders in review or half-way, page by page; and the newest stray payments,
 * refunds and events that hang, and what cannot be read, 100 of each.
 */
export async function listStuck(
  { db, now, gateways }: Pick<PaymentDeps, 'db' | 'now' | 'gateways'>,
  page: Page,
): Promise<Stuck> {
  const [{ items: orders, nextCursor }, stray, hanging, failed, events, unread] = await Promise.all(
    [
      readPage(db.orm.orders.where(isStuck(now(), gateways)), page),
      db.orm.payments
        .where({ status: 'captured' })
        .where(MongoFieldFilter.gte('quarantine', ''))
        .orderBy(NEWEST_FIRST)
        .limit(MOST)
        .all(),
      db.orm.refunds
        .where(MongoFieldFilter.in('status', ['REQUESTED', 'PENDING']))
        .where(MongoFieldFilter.isNotNull('error'))
        .orderBy(NEWEST_FIRST)
        .limit(MOST)
        .all(),
      db.orm.refunds.where({ status: 'FAILED' }).orderBy(NEWEST_FIRST).limit(MOST).all(),
      db.orm.webhook_events
        .where(
          MongoOrExpr.of([
            MongoFieldFilter.eq('state', 'DEAD'),
            MongoAndExpr.of([
              MongoFieldFilter.eq('state', 'WAITING'),
              MongoFieldFilter.gte('attempts', 3),
            ]),
          ]),
        )
        .select('_id', 'event', 'attempts', 'outcome', 'receivedAt')
        .orderBy({ receivedAt: -1 })
        .limit(MOST)
        .all(),
      db.orm.unreadable_entities
        .where(MongoFieldFilter.isNull('readAt'))
        .orderBy(NEWEST_FIRST)
        .limit(MOST)
        .all(),
    ],
  )
  const reasons = new Map(orders.map((order) => [order._id, reasonOf(order, gateways)]))
  const sold = await withRefunds({ db }, orders)
  return {
    items: sold.map((order) => ({ ...order, reason: reasons.get(order.id) ?? null })),
    nextCursor,
    payments: stray.map(strayPayment),
    refunds: [...hanging, ...failed].map(publicRefund),
    events: events.map(({ _id, event, attempts, outcome, receivedAt }) => ({
      id: _id,
      event,
      attempts,
      outcome: outcome ?? null,
      receivedAt,
    })),
    unreadable: unread.map((row) => ({
      gateway: row.gateway,
      kind: row.kind,
      id: row.entityId ?? null,
      paymentId: row.paymentId ?? null,
      orderId: row.orderId ?? null,
      reason: row.reason,
      createdAt: row.createdAt,
    })),
  }
}

function reasonOf(
  { reviewReason, gateway }: OrderDocument,
  gateways: PaymentDeps['gateways'],
): string | null {
  if (reviewReason) return reviewReason
  return gateways.has(gateway) ? null : `its gateway, ${gateway}, is not configured`
}

function isStuck(at: Date, { all }: PaymentDeps['gateways']): MongoFilterExpr {
  const since = (milliseconds: number) => new Date(at.getTime() - milliseconds)
  return MongoOrExpr.of([
    MongoFieldFilter.eq('status', 'REVIEW'),
    MongoAndExpr.of([
      MongoFieldFilter.eq('status', 'PAID'),
      MongoFieldFilter.lte('updatedAt', since(PATIENCE_MS)),
    ]),
    // Its hour has long been over, and the gateway would not say what became of it.
    MongoAndExpr.of([
      MongoFieldFilter.eq('status', 'CREATED'),
      MongoFieldFilter.lte('expiresAt', since(DAY_MS)),
    ]),
    // Nobody can ask what became of it.
    MongoAndExpr.of([
      MongoFieldFilter.eq('status', 'CREATED'),
      MongoFieldFilter.nin(
        'gateway',
        all.map(({ name }) => name),
      ),
    ]),
  ])
}

function strayPayment(payment: PaymentDocument): StrayPayment {
  return {
    gateway: payment.gateway,
    paymentId: payment.gatewayPaymentId,
    orderId: payment.orderId ?? null,
    amountPaise: payment.amountPaise,
    currency: payment.currency,
    status: payment.status,
    reason: payment.quarantine ?? null,
    createdAt: payment.createdAt,
  }
}
