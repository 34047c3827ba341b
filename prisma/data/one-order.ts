// December 2026: a payment pays for one order, by a unique key, which could not be made over two that name the same.
// The order that the payment was made for keeps it; any other goes into review, where an administrator sees it.
import type { Db, Document } from 'mongodb'
import type { DataMigration } from './migrate.ts'
import { UNCHECKED } from './unchecked.ts'

type Double = { _id: string; orders: Document[] }

export const oneOrder: DataMigration = {
  name: 'one order for each payment',
  isDue: async (db) => (await doublesIn(db).next()) !== null,
  steps: (db) => [() => setApart(db)],
}

function doublesIn(db: Db) {
  return db
    .collection('orders')
    .aggregate<Double>([
      { $match: { paymentId: { $gte: '' } } },
      { $sort: { paidAt: 1 } },
      { $group: { _id: '$paymentId', orders: { $push: '$$ROOT' } } },
      { $match: { 'orders.1': { $exists: true } } },
    ])
}

async function setApart(db: Db): Promise<void> {
  for await (const { _id: gatewayPaymentId, orders } of doublesIn(db)) {
    const payment = await db.collection('payments').findOne({ gatewayPaymentId })
    const isPaid = (order: Document) => order['gatewayOrderId'] === payment?.['gatewayOrderId']
    const keeper = orders.find(isPaid) ?? orders[0]
    const others = orders.filter((order) => order !== keeper).map((order) => order['_id'] as never)
    const reviewReason = 'its payment pays for another order'
    const set = { status: 'REVIEW', paymentId: null, openKey: null, reviewReason }
    await db.collection('orders').updateMany({ _id: { $in: others } }, { $set: set }, UNCHECKED)
  }
}
