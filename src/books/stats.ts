import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { ON_SALE } from '../courses/shelf.ts'
import type { Uses } from '../deps.ts'
import { DAY_MS, MINUTE_MS } from '../durations.ts'
import { ANOTHER_ACCOUNT, DENIED } from '../payments/webhooks/event-account.ts'

const WEEK_MS = 7 * DAY_MS
const QUIET_MS = 30 * MINUTE_MS
// Where the browser's answer was first, its event may have come just before.
const AROUND_MS = MINUTE_MS

export type Stats = {
  users: number
  publishedCourses: number
  enrollments: number
  orders: Record<string, number>
  revenue: { grossPaise: number; refundPaise: number; netPaise: number }
  webhooks: {
    lastAt: Date | null
    ageSeconds: number | null
    waiting: number
    dead: number
    /** Signed for us within a day, and of another account, or of what the gateway does not have. */
    refused: number
    /** Of some gateway payments come and webhooks do not: our endpoint may be disabled there. */
    isSilent: boolean
  }
  /** Of the payments captured in the last week, those that only a poll found, between 0 and 1. */
  shareFoundByPoll: number
  openRefunds: number
  strayPayments: number
}

/** The school in figures: people, orders, money in paise, and how webhooks and refunds are doing. */
export async function readStats({ db, now }: Uses<'db' | 'now'>): Promise<Stats> {
  const at = now().getTime()
  const count = (collection: string, filter: Record<string, unknown>) =>
    db.driver.collection(collection).countDocuments(filter)
  const [users, publishedCourses, enrollments, waiting, dead, openRefunds, strayPayments] =
    await Promise.all([
      count('users', { deletedAt: null }),
      count('courses', ON_SALE),
      count('enrollments', {}),
      count('webhook_events', { state: 'WAITING' }),
      count('webhook_events', { state: 'DEAD' }),
      count('refunds', { status: { $in: ['REQUESTED', 'PENDING'] } }),
      count('payments', { quarantine: { $gte: '' }, status: 'captured' }),
    ])
  const [orders, revenue, found, lastEvent, isSilent, refused] = await Promise.all([
    ordersByStatus(db),
    readRevenue(db),
    foundBy(db, new Date(at - WEEK_MS)),
    db.orm.webhook_events.where({}).orderBy({ receivedAt: -1 }).select('receivedAt').first(),
    isAnySilent(db, new Date(at - DAY_MS), new Date(at - QUIET_MS)),
    count('webhook_events', {
      outcome: { $in: [ANOTHER_ACCOUNT, DENIED] },
      receivedAt: { $gte: new Date(at - DAY_MS) },
    }),
  ])
  const lastAt = lastEvent?.receivedAt ?? null
  const captured = [...found.values()].reduce((sum, n) => sum + n, 0)
  return {
    users,
    publishedCourses,
    enrollments,
    orders,
    revenue,
    webhooks: {
      lastAt,
      ageSeconds: lastAt && Math.max(0, Math.round((at - lastAt.getTime()) / 1000)),
      waiting,
      dead,
      refused,
      isSilent,
    },
    shareFoundByPoll: captured === 0 ? 0 : (found.get('poll') ?? 0) / captured,
    openRefunds,
    strayPayments,
  }
}

type Db = Uses<'db'>['db']
type Group = { _id: string; n: number }

async function ordersByStatus(db: Db): Promise<Record<string, number>> {
  const groups = await db.driver
    .collection('orders')
    .aggregate<Group>([{ $group: { _id: '$status', n: { $sum: 1 } } }])
    .toArray()
  return Object.fromEntries(groups.map(({ _id, n }) => [_id, n]))
}

/**
 * Of orders of ours, without the fees that buyers bore. What is reserved for refunds counts as given back: it is on
 * its way; so does what banks took.
 */
async function readRevenue(db: Db): Promise<Stats['revenue']> {
  const [sums] = await db.driver
    .collection('payments')
    .aggregate<{ gross: number; refund: number }>([
      { $match: { capturedAt: { $type: 'date' }, orderId: { $type: 'string' } } },
      {
        $group: {
          _id: null,
          gross: { $sum: { $subtract: ['$amountPaise', or0('$feePaise')] } },
          refund: { $sum: { $add: ['$reservedPaise', or0('$lostPaise')] } },
        },
      },
    ])
    .toArray()
  const grossPaise = sums?.gross ?? 0
  const refundPaise = sums?.refund ?? 0
  return { grossPaise, refundPaise, netPaise: grossPaise - refundPaise }
}

const or0 = (field: string) => ({ $ifNull: [field, 0] })

async function foundBy(db: Db, since: Date): Promise<Map<string, number>> {
  const groups = await db.driver
    .collection('payments')
    .aggregate<Group>([
      { $match: { capturedAt: { $gte: since } } },
      { $group: { _id: '$seenVia', n: { $sum: 1 } } },
    ])
    .toArray()
  return new Map(groups.map(({ _id, n }) => [_id, n]))
}

/** Whether the last payment of a gateway that was not heard of by its event had none around it. */
async function isAnySilent(db: Db, from: Date, to: Date): Promise<boolean> {
  const unheard = await db.driver
    .collection('payments')
    .aggregate<{ _id: string; at: Date }>([
      { $match: { capturedAt: { $gte: from, $lte: to }, seenVia: { $ne: 'webhook' } } },
      { $group: { _id: '$gateway', at: { $max: '$capturedAt' } } },
    ])
    .toArray()
  const heard = await Promise.all(
    unheard.map(({ _id: gateway, at }) =>
      db.orm.webhook_events
        .where({ gateway })
        .where(MongoFieldFilter.gte('receivedAt', new Date(at.getTime() - AROUND_MS)))
        .select('_id')
        .first(),
    ),
  )
  return heard.includes(null)
}
