// December 2026: what an order gave for nothing is called FREE, and whoever was put out by a person is barred from being
// let in for nothing. Before that the zero orders of those who had been put out let them in again: that access stays,
// and can be ended now.
import type { AnyBulkWriteOperation, Db, ObjectId } from 'mongodb'
import type { DataMigration } from './migrate.ts'
import { UNCHECKED } from './unchecked.ts'

const UNDECIDED = { barredAt: { $exists: false } }
const BATCH = 500

type Grant = {
  key: string
  kind: string
  orderId?: string | null
  at: Date
  until?: Date | null
  revokedAt?: Date | null
}
type Enrollment = { _id: ObjectId; grants: Grant[]; barredAt?: Date | null }

export const admission: DataMigration = {
  name: 'admission',
  isDue: async (db) => (await db.collection('enrollments').findOne(UNDECIDED)) !== null,
  steps: (db) => [() => renameGrants(db), () => writeBars(db)],
}

async function renameGrants(db: Db): Promise<void> {
  const orders = db
    .collection<{ _id: ObjectId; lines: { no: number; amountPaise: number }[] }>('orders')
    .find({ 'lines.amountPaise': 0 }, { projection: { lines: 1 } })
  for await (const { _id, lines } of orders) {
    for (const { no, amountPaise } of lines) {
      if (amountPaise !== 0) continue
      const key = `order:${_id.toHexString()}:${no}`
      await db
        .collection('enrollments')
        .updateMany(
          { 'grants.key': key },
          { $set: { 'grants.$[zero].kind': 'FREE' } },
          { ...UNCHECKED, arrayFilters: [{ 'zero.key': key }] },
        )
    }
  }
}

async function writeBars(db: Db): Promise<void> {
  const enrollments = db.collection<Enrollment>('enrollments')
  let writes: AnyBulkWriteOperation<Enrollment>[] = []
  for await (const { _id, grants } of enrollments.find(UNDECIDED, { projection: { grants: 1 } })) {
    const filter = { _id, ...UNDECIDED }
    writes.push({ updateOne: { filter, update: { $set: { barredAt: barredSince(grants) } } } })
    if (writes.length < BATCH) continue
    await enrollments.bulkWrite(writes, UNCHECKED)
    writes = []
  }
  if (writes.length > 0) await enrollments.bulkWrite(writes, UNCHECKED)
}

/** When a person last ended access that nobody has given again since; null where none did. */
function barredSince(grants: readonly Grant[]): Date | null {
  const unpaid = grants.filter(({ kind }) => kind !== 'PAID')
  if (unpaid.some(({ revokedAt, until }) => !revokedAt && !until)) return null
  const ended = unpaid.flatMap(({ orderId, revokedAt }) =>
    revokedAt && !orderId ? [revokedAt] : [],
  )
  if (ended.length === 0) return null
  const last = new Date(Math.max(...ended.map((at) => at.getTime())))
  return unpaid.some(({ kind, at }) => kind === 'ADMIN' && at >= last) ? null : last
}
