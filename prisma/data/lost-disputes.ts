// December 2026: what banks took by lost disputes is held back from refunds by its amount. Until then one lost dispute
// forbade every refund of its payment, and no amount was written.
import type { Db, Document } from 'mongodb'
import type { DataMigration } from './migrate.ts'
import { UNCHECKED } from './unchecked.ts'

type Lost = { _id: string; paise: number }

export const lostDisputes: DataMigration = {
  name: 'the amounts of lost disputes',
  isDue: async (db) => (await lostIn(db).next()) !== null,
  steps: (db) => [() => holdBack(db)],
}

function lostIn(db: Db) {
  const payment: Document = {
    from: 'payments',
    localField: '_id',
    foreignField: 'gatewayPaymentId',
    as: 'payment',
  }
  return db
    .collection('disputes')
    .aggregate<Lost>([
      { $match: { status: 'lost' } },
      { $group: { _id: '$paymentId', paise: { $sum: '$amountPaise' } } },
      { $lookup: payment },
      { $match: { payment: { $elemMatch: { lostPaise: null } } } },
    ])
}

async function holdBack(db: Db): Promise<void> {
  for await (const { _id: gatewayPaymentId, paise } of lostIn(db)) {
    const lostPaise = { $toInt: { $min: [paise, '$amountPaise'] } }
    await db
      .collection('payments')
      .updateOne({ gatewayPaymentId, lostPaise: null }, [{ $set: { lostPaise } }], UNCHECKED)
  }
}
