// Computed from orders and refunds whenever asked, and stored nowhere: there is nothing that could drift.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import type { Actor } from '../auth/sessions.ts'
import { oid } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DAY_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'
import { Id } from '../fields.ts'
import { forEachReversal, type Scope } from './reversals.ts'

const MOST_DAYS = 366

const Period = z
  .object({ from: z.date(), to: z.date() })
  .refine(({ from, to }) => from < to && to.getTime() - from.getTime() <= MOST_DAYS * DAY_MS, {
    error: 'is not a period of up to a year',
    path: ['to'],
  })
type Period = z.infer<typeof Period>

export const EarningsQuery = z.object({ period: Period.optional(), courseId: Id.optional() })
export type EarningsQuery = z.infer<typeof EarningsQuery>

export const InstructorEarnings = EarningsQuery.extend({ instructorId: Id.optional() })
export type InstructorEarnings = z.infer<typeof InstructorEarnings>

type Sums = { grossPaise: number; refundPaise: number; netPaise: number }

/** A day in India. Refunds count on the day they were made, and disputes among them on the day they were lost. */
export type DayEarnings = Sums & { day: string; courseId: string; sold: number }
export type Earnings = Sums & { days: DayEarnings[] }
export type EarningsOf = Sums & { instructorId: string; name: string; days: DayEarnings[] }

type Needs = Uses<'db' | 'now'>

/**
 * What an author's own courses brought in a period, by day and course, in paise. Throws NOT_FOUND for
 * another's course.
 */
export async function myEarnings(
  deps: Needs,
  actor: Actor,
  query: EarningsQuery,
): Promise<Earnings> {
  const own = await coursesOf(deps, actor.id)
  const courseIds = own.filter((id) => id === (query.courseId ?? id))
  if (query.courseId !== undefined && courseIds.length === 0) throw new DomainError('NOT_FOUND')
  return summed(await daysOf(deps, scopeOf(deps, query, courseIds)))
}

/** The same for every author, or the one asked for; for administrators. */
export async function earningsByInstructor(
  deps: Needs,
  { instructorId, ...query }: InstructorEarnings,
): Promise<EarningsOf[]> {
  const { courseId } = query
  const asked = courseId === undefined ? null : [courseId]
  const own = instructorId === undefined ? null : await coursesOf(deps, instructorId)
  const courseIds = own?.filter((id) => id === (courseId ?? id)) ?? asked
  const days = await daysOf(deps, scopeOf(deps, query, courseIds))
  const ownerOf = await ownersOf(deps, [...new Set(days.map((day) => day.courseId))])
  const owners = [...new Set(ownerOf.values())].sort()
  if (owners.length === 0) return []
  const users = await deps.db.orm.users
    .where(MongoFieldFilter.in('_id', owners.map(oid)))
    .select('_id', 'name')
    .all()
  const names = new Map(users.map(({ _id, name }) => [_id, name]))
  return owners.map((id) => ({
    instructorId: id,
    name: names.get(id) ?? '',
    ...summed(days.filter((day) => ownerOf.get(day.courseId) === id)),
  }))
}

async function coursesOf({ db }: Uses<'db'>, ownerId: string): Promise<string[]> {
  const own = await db.orm.courses.where({ ownerId }).select('_id').all()
  return own.map(({ _id }) => _id)
}

async function ownersOf({ db }: Uses<'db'>, ids: string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const courses = await db.orm.courses
    .where(MongoFieldFilter.in('_id', ids.map(oid)))
    .select('_id', 'ownerId')
    .all()
  return new Map(courses.map(({ _id, ownerId }) => [_id, ownerId]))
}

function scopeOf(
  { now }: Uses<'now'>,
  { period }: EarningsQuery,
  courseIds: string[] | null,
): Scope {
  const to = period?.to ?? now()
  return { from: period?.from ?? new Date(to.getTime() - 30 * DAY_MS), to, courseIds }
}

/** By day and course: however much was sold, no more rows than that are held here. */
async function daysOf(deps: Uses<'db'>, scope: Scope): Promise<DayEarnings[]> {
  if (scope.courseIds?.length === 0) return []
  const days = new Map<string, DayEarnings>()
  const at = (day: string, courseId: string): DayEarnings => {
    const key = `${day} ${courseId}`
    const nothing = { sold: 0, grossPaise: 0, refundPaise: 0, netPaise: 0 }
    const sums = days.get(key) ?? { day, courseId, ...nothing }
    days.set(key, sums)
    return sums
  }
  for (const { _id, sold, grossPaise } of await salesIn(deps, scope)) {
    const sums = at(_id.day, _id.courseId)
    sums.sold += sold
    sums.grossPaise += grossPaise
    sums.netPaise += grossPaise
  }
  await forEachReversal(deps, scope, ({ courseId, at: when, paise }) => {
    const sums = at(DAY.format(when), courseId)
    sums.refundPaise += paise
    sums.netPaise -= paise
  })
  return [...days].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sums]) => sums)
}

const DAY = new Intl.DateTimeFormat('en-CA', { dateStyle: 'short', timeZone: 'Asia/Kolkata' })

type Sold = { _id: { day: string; courseId: string }; sold: number; grossPaise: number }

function salesIn({ db }: Uses<'db'>, { from, to, courseIds }: Scope): Promise<Sold[]> {
  const isMeant = courseIds === null ? {} : { 'lines.courseId': { $in: courseIds } }
  const day = { $dateToString: { date: '$paidAt', format: '%Y-%m-%d', timezone: '+05:30' } }
  return db.driver
    .collection('orders')
    .aggregate<Sold>(
      [
        {
          $match: {
            paidAt: { $gte: from, $lt: to },
            status: { $in: ['PAID', 'FULFILLED'] },
            ...isMeant,
          },
        },
        { $unwind: '$lines' },
        { $match: isMeant },
        {
          $group: {
            _id: { day, courseId: '$lines.courseId' },
            sold: { $sum: 1 },
            grossPaise: { $sum: '$lines.amountPaise' },
          },
        },
      ],
      { maxTimeMS: 10_000, allowDiskUse: true },
    )
    .toArray()
}

function summed(days: DayEarnings[]): Earnings {
  const total = (pick: (sums: DayEarnings) => number) =>
    days.reduce((sum, one) => sum + pick(one), 0)
  return {
    grossPaise: total(({ grossPaise }) => grossPaise),
    refundPaise: total(({ refundPaise }) => refundPaise),
    netPaise: total(({ netPaise }) => netPaise),
    days,
  }
}
