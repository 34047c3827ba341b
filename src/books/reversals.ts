// What was taken back of an order, by refunds and by disputes that were lost, and from which of its lines.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { oid } from '../db.ts'
import type { Uses } from '../deps.ts'
import { shareOut } from '../money.ts'
import { linesOf, type OrderDocument } from '../orders/order.ts'
import type { RefundDocument } from '../orders/refunded.ts'

const BATCH = 500
const DEADLINE = { maxTimeMS: 10_000 }

export type Scope = { from: Date; to: Date; courseIds: string[] | null }
export type Reversal = { courseId: string; at: Date; paise: number }

type Reversed = { at: Date; amountPaise: number; lineNos: readonly string[] }
type Dispute = { paymentId: string; amountPaise: number; updatedAt: Date }

/** Calls `each` for every part taken in the period from a course in scope. */
export async function forEachReversal(
  deps: Uses<'db'>,
  scope: Scope,
  each: (reversal: Reversal) => void,
): Promise<void> {
  const { from, to, courseIds } = scope
  for await (const ids of batchesOf(idsOfOrders(deps, scope))) {
    for (const order of await ordersOf(deps, ids, courseIds)) {
      for (const reversal of partsOf(order, await reversedOf(deps, order))) {
        const isMeant = courseIds === null || courseIds.includes(reversal.courseId)
        if (isMeant && reversal.paise > 0 && reversal.at >= from && reversal.at < to) each(reversal)
      }
    }
  }
}

async function* idsOfOrders({ db }: Uses<'db'>, { from, to }: Scope): AsyncGenerator<string> {
  const within = { $gte: from, $lt: to }
  const refunded = { status: { $in: ['PENDING', 'PROCESSED'] }, createdAt: within }
  const lost = { status: 'lost', updatedAt: within }
  const seen = new Set<string>()
  for (const [name, match] of [['refunds', refunded] as const, ['disputes', lost] as const]) {
    const rows = db.driver
      .collection(name)
      .aggregate<{ _id: string | null }>([{ $match: match }, { $group: { _id: '$orderId' } }], {
        ...DEADLINE,
        allowDiskUse: true,
      })
    for await (const { _id: id } of rows) {
      if (id === null || seen.has(id)) continue
      seen.add(id)
      yield id
    }
  }
}

async function* batchesOf(ids: AsyncIterable<string>): AsyncGenerator<string[]> {
  let batch: string[] = []
  for await (const id of ids) {
    batch.push(id)
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

async function ordersOf(
  { db }: Uses<'db'>,
  ids: string[],
  courseIds: string[] | null,
): Promise<OrderDocument[]> {
  const orders = db.orm.orders.where(MongoFieldFilter.in('_id', ids.map(oid)))
  if (courseIds === null) return orders.all()
  return orders.where(MongoFieldFilter.in('lines.courseId', courseIds)).all()
}

// A second payment never counted as a sale, so neither does what was taken back of it.
async function reversedOf({ db }: Uses<'db'>, order: OrderDocument): Promise<Reversed[]> {
  const { paymentId } = order
  if (!paymentId) return []
  const [refunds, disputes] = await Promise.all([
    db.orm.refunds
      .where({ paymentId })
      .where(MongoFieldFilter.in('status', ['PENDING', 'PROCESSED']))
      .all(),
    db.orm.disputes.where({ paymentId, status: 'lost' }).all(),
  ])
  const all = [...refunds.map(reversedByRefund), ...disputes.map(reversedByDispute)]
  return all.sort((a, b) => a.at.getTime() - b.at.getTime())
}

function reversedByRefund({ createdAt: at, amountPaise, lineNos }: RefundDocument): Reversed {
  return { at, amountPaise, lineNos }
}

/** Nothing moves a dispute after it was lost, so it was lost when it was last moved. */
function reversedByDispute({ updatedAt: at, amountPaise }: Dispute): Reversed {
  return { at, amountPaise, lineNos: [] }
}

/**
 * Each reversal comes from what is left of the lines it names, and only beyond that, as when it names none, from
 * what is left of all; so no line gives back more than it brought.
 */
export function partsOf(
  order: Pick<OrderDocument, 'lines'>,
  reversed: readonly Reversed[],
): Reversal[] {
  const lines = linesOf(order)
  const left = lines.map(({ amountPaise }) => amountPaise)
  return reversed.flatMap(({ at, amountPaise, lineNos }) => {
    const named = lines.map(({ no }, i) => (lineNos.includes(String(no)) ? (left[i] ?? 0) : 0))
    const first = shareOut(amountPaise, named)
    const rest = shareOut(
      amountPaise - total(first),
      left.map((paise, i) => paise - (first[i] ?? 0)),
    )
    return lines.map(({ courseId }, i) => {
      const paise = (first[i] ?? 0) + (rest[i] ?? 0)
      left[i] = (left[i] ?? 0) - paise
      return { courseId, at, paise }
    })
  })
}

function total(parts: readonly number[]): number {
  return parts.reduce((sum, part) => sum + part, 0)
}
