// Computed from orders and refunds whenever asked, and stored nowhere: there is nothing that could drift.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import type { Actor } from '../auth/sessions.ts'
import { oid } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { Id } from '../fields.ts'
import { shareOut } from './coupon-rules.ts'
import { linesOf, type OrderDocument, type OrderLine, type RefundDocument } from './order.ts'

const DAY_MS = 24 * 60 * 60_000
const MOST_DAYS = 366
const BATCH = 500

export const Period = z
  .object({ from: z.date(), to: z.date() })
  .refine(({ from, to }) => from < to && to.getTime() - from.getTime() <= MOST_DAYS * DAY_MS, {
    error: 'is not a period of up to a year',
    path: ['to'],
  })
export type Period = z.infer<typeof Period>

export const EarningsQuery = z.object({ period: Period.optional(), courseId: Id.optional() })
export type EarningsQuery = z.infer<typeof EarningsQuery>

export const InstructorEarnings = EarningsQuery.extend({ instructorId: Id.optional() })
export type InstructorEarnings = z.infer<typeof InstructorEarnings>

type Sums = { grossPaise: number; refundPaise: number; netPaise: number }

/** A day in India; refunds count on the day they were made. */
export type DayEarnings = Sums & { day: string; courseId: string; sold: number }
export type Earnings = Sums & { days: DayEarnings[] }
export type EarningsOf = Sums & { instructorId: string; name: string; days: DayEarnings[] }

type Needs = Uses<'db' | 'now'>
type Event = { courseId: string; at: Date; grossPaise: number; refundPaise: number; sold: number }

export async function myEarnings(
  deps: Needs,
  actor: Actor,
  query: EarningsQuery,
): Promise<Earnings> {
  const own = await deps.db.orm.courses.where({ ownerId: actor.id }).select('_id').all()
  const ids = own.map(({ _id }) => _id).filter((id) => id === (query.courseId ?? id))
  if (query.courseId !== undefined && ids.length === 0) throw new DomainError('NOT_FOUND')
  const events = await eventsOf(deps, query)
  return summed(events.filter(({ courseId }) => ids.includes(courseId)))
}

export async function earningsByInstructor(
  deps: Needs,
  { instructorId, ...query }: InstructorEarnings,
): Promise<EarningsOf[]> {
  const events = await eventsOf(deps, query)
  const ownerOf = await ownersOf(deps, [...new Set(events.map(({ courseId }) => courseId))])
  const owners = [...new Set(ownerOf.values())].filter((id) => id === (instructorId ?? id)).sort()
  if (owners.length === 0) return []
  const users = await deps.db.orm.users
    .where(MongoFieldFilter.in('_id', owners.map(oid)))
    .select('_id', 'name')
    .all()
  const names = new Map(users.map(({ _id, name }) => [_id, name]))
  return owners.map((id) => ({
    instructorId: id,
    name: names.get(id) ?? '',
    ...summed(events.filter(({ courseId }) => ownerOf.get(courseId) === id)),
  }))
}

async function ownersOf({ db }: Needs, ids: string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const courses = await db.orm.courses
    .where(MongoFieldFilter.in('_id', ids.map(oid)))
    .select('_id', 'ownerId')
    .all()
  return new Map(courses.map(({ _id, ownerId }) => [_id, ownerId]))
}

async function eventsOf(deps: Needs, { period, courseId }: EarningsQuery): Promise<Event[]> {
  const to = period?.to ?? deps.now()
  const from = period?.from ?? new Date(to.getTime() - 30 * DAY_MS)
  const events = [...(await salesIn(deps, { from, to })), ...(await refundsIn(deps, { from, to }))]
  return courseId === undefined ? events : events.filter((event) => event.courseId === courseId)
}

async function salesIn({ db }: Needs, { from, to }: Period): Promise<Event[]> {
  const orders = await db.orm.orders
    .where(MongoFieldFilter.in('status', ['PAID', 'FULFILLED']))
    .where(MongoFieldFilter.gte('paidAt', from))
    .where(MongoFieldFilter.lt('paidAt', to))
    .select('_id', 'lines', 'paidAt')
    .all()
  return orders.flatMap((order) =>
    linesOf(order).map(({ courseId, amountPaise }) => ({
      courseId,
      at: order.paidAt ?? from,
      grossPaise: amountPaise,
      refundPaise: 0,
      sold: 1,
    })),
  )
}

async function refundsIn({ db }: Needs, { from, to }: Period): Promise<Event[]> {
  const refunds = await db.orm.refunds
    .where(MongoFieldFilter.in('status', ['PENDING', 'PROCESSED']))
    .where(MongoFieldFilter.gte('createdAt', from))
    .where(MongoFieldFilter.lt('createdAt', to))
    .all()
  const ids = [...new Set(refunds.flatMap(({ orderId }) => orderId ?? []))]
  const orders = new Map<string, OrderDocument>()
  for (let start = 0; start < ids.length; start += BATCH) {
    const some = ids.slice(start, start + BATCH).map(oid)
    const rows = await db.orm.orders.where(MongoFieldFilter.in('_id', some)).all()
    for (const row of rows) orders.set(row._id, row)
  }
  return refunds.flatMap((refund) => {
    const order = orders.get(refund.orderId ?? '')
    // A second payment never counted as a sale, so neither does its refund.
    return order?.paymentId === refund.paymentId ? sharesOf(order, refund) : []
  })
}

function sharesOf(order: OrderDocument, refund: RefundDocument): Event[] {
  const named = linesOf(order).filter(({ no }) => refund.lineNos.includes(String(no)))
  const lines: OrderLine[] = named.length > 0 ? named : linesOf(order)
  const parts = shareOut(
    refund.amountPaise,
    lines.map(({ amountPaise }) => amountPaise),
  )
  return lines.map(({ courseId }, at) => ({
    courseId,
    at: refund.createdAt,
    grossPaise: 0,
    refundPaise: parts[at] ?? 0,
    sold: 0,
  }))
}

const DAY = new Intl.DateTimeFormat('en-CA', { dateStyle: 'short', timeZone: 'Asia/Kolkata' })

function summed(events: Event[]): Earnings {
  const days = new Map<string, DayEarnings>()
  for (const { courseId, at, grossPaise, refundPaise, sold } of events) {
    const day = DAY.format(at)
    const key = `${day} ${courseId}`
    const sums = days.get(key) ?? {
      day,
      courseId,
      sold: 0,
      grossPaise: 0,
      refundPaise: 0,
      netPaise: 0,
    }
    sums.sold += sold
    sums.grossPaise += grossPaise
    sums.refundPaise += refundPaise
    sums.netPaise += grossPaise - refundPaise
    days.set(key, sums)
  }
  const sorted = [...days].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sums]) => sums)
  const total = (pick: (sums: DayEarnings) => number) =>
    sorted.reduce((sum, one) => sum + pick(one), 0)
  return {
    grossPaise: total(({ grossPaise }) => grossPaise),
    refundPaise: total(({ refundPaise }) => refundPaise),
    netPaise: total(({ netPaise }) => netPaise),
    days: sorted,
  }
}
