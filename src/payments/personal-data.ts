import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import { oid } from '../db.ts'
import type { Uses } from '../deps.ts'
import { publicRefund, type Refund } from '../orders/refunded.ts'
import { NEWEST_FIRST } from '../paging.ts'
import type { Leaver, PersonalData } from '../personal-data.ts'

const BATCH = 1_000

/** A person's orders, newest first: payments, refunds and disputes know the order, and not whose it is. */
async function orderIdsOf({ db }: Uses<'db'>, userId: string, most: number): Promise<string[]> {
  const rows = await db.orm.orders
    .where({ userId })
    .orderBy(NEWEST_FIRST)
    .select('_id')
    .limit(most)
    .all()
  return rows.map(({ _id }) => _id)
}

type ExportedPayment = {
  id: string
  orderId: string | null
  gateway: string
  status: string
  amountPaise: number
  currency: string
  method: string | null
  capturedAt: Date | null
  createdAt: Date
}

async function readPayments(
  deps: Uses<'db'>,
  userId: string,
  most: number,
): Promise<ExportedPayment[]> {
  const ids = await orderIdsOf(deps, userId, most)
  const rows = await deps.db.orm.payments
    .where(Field.in('orderId', ids))
    .orderBy({ _id: -1 })
    .limit(most)
    .all()
  return rows.map((row) => ({
    id: row.gatewayPaymentId,
    orderId: row.orderId ?? null,
    gateway: row.gateway,
    status: row.status,
    amountPaise: row.amountPaise,
    currency: row.currency,
    method: row.method ?? null,
    capturedAt: row.capturedAt ?? null,
    createdAt: row.createdAt,
  }))
}

async function readRefunds(deps: Uses<'db'>, userId: string, most: number): Promise<Refund[]> {
  const ids = await orderIdsOf(deps, userId, most)
  const rows = await deps.db.orm.refunds
    .where(Field.in('orderId', ids))
    .orderBy({ _id: -1 })
    .limit(most)
    .all()
  return rows.map(publicRefund)
}

type ExportedDispute = {
  orderId: string | null
  paymentId: string
  status: string
  amountPaise: number
  currency: string
  createdAt: Date
}

async function readDisputes(
  deps: Uses<'db'>,
  userId: string,
  most: number,
): Promise<ExportedDispute[]> {
  const ids = await orderIdsOf(deps, userId, most)
  const rows = await deps.db.orm.disputes
    .where(Field.in('orderId', ids))
    .orderBy({ _id: -1 })
    .limit(most)
    .all()
  return rows.map(({ orderId, paymentId, status, amountPaise, currency, createdAt }) => ({
    orderId: orderId ?? null,
    paymentId,
    status,
    amountPaise,
    currency,
    createdAt,
  }))
}

// Why money went back somebody wrote in words of their own, and may have named the buyer in them.
async function erase({ db }: Uses<'db'>, { userId }: Pick<Leaver, 'userId'>): Promise<void> {
  const orders = db.orm.orders.where({ userId }).orderBy({ _id: 1 }).select('_id').limit(BATCH)
  for (let last: string | null = null; ;) {
    const next: { _id: string }[] = await (
      last === null ? orders : orders.where(Field.gt('_id', oid(last)))
    ).all()
    const ids = next.map(({ _id }) => _id)
    await db.orm.refunds
      .where(Field.in('orderId', ids))
      .where(Field.isNotNull('reason'))
      .updateAndCount({ reason: null })
    if (ids.length < BATCH) return
    last = ids.at(-1) ?? null
  }
}

const TAX = { after: 'stay: tax law wants them', until: 'as long as the books are kept' }

/** What a gateway tells of whoever paid is never written down (webhooks/contacts.ts). */
export const paymentsData = {
  lists: { payments: readPayments, refunds: readRefunds, disputes: readDisputes },
  keeps: {
    payments: { what: 'amounts and the gateway’s ids, by the order', ...TAX },
    refunds: {
      what: 'amounts, reasons, who asked',
      after: 'stay without their reasons: tax law wants them',
      until: TAX.until,
    },
    disputes: { what: 'amounts and the gateway’s ids, by the order', ...TAX },
    unreadable_entities: { what: 'nothing: ids of the gateway', after: 'stay', until: 'for ever' },
    webhook_events: {
      what: 'nothing: contacts are cut out before an event is stored',
      after: 'stay',
      until: '90 days, once done or given up',
    },
  },
  erase,
} satisfies PersonalData
