// November 2026: orders, payments, refunds, disputes and webhooks carry the name of their gateway, and ids are the
// gateway's, not Razorpay's. Before that there was only Razorpay. A key guards each id at every moment: the new one
// is there before the old one goes. Each step can be done again, so a migration that was killed is begun anew.
import type { Db, Document } from 'mongodb'
import { indexCommand, indexesOf, type StoredContract } from '../create.ts'
import type { DataMigration } from './migrate.ts'
import { UNCHECKED } from './unchecked.ts'

/** Collection → its old fields and what they are called now. */
const RENAMED: Record<string, Record<string, string>> = {
  orders: { razorpayOrderId: 'gatewayOrderId' },
  payments: { razorpayPaymentId: 'gatewayPaymentId', razorpayOrderId: 'gatewayOrderId' },
  refunds: { razorpayRefundId: 'gatewayRefundId' },
  disputes: { razorpayDisputeId: 'gatewayDisputeId' },
  webhook_events: {},
}

export const gateways: DataMigration = {
  name: 'gateways',
  isDue: async (db) => {
    const [payments] = await db.listCollections({ name: 'payments' }).toArray()
    const options = payments as { options?: { validator?: Document } } | undefined
    return JSON.stringify(options?.options?.validator ?? {}).includes('"razorpayPaymentId"')
  },
  steps: (db, contract) =>
    Object.entries(RENAMED).flatMap(([name, fields]) => [
      () => copyFields(db, name, fields),
      () => replaceKeys(db, contract, { name, fields }),
      () => dropFields(db, name, fields),
    ]),
}

async function copyFields(db: Db, name: string, fields: Record<string, string>): Promise<void> {
  const copies: Document = { gateway: 'razorpay' }
  for (const [old, now] of Object.entries(fields)) copies[now] = `$${old}`
  await db
    .collection(name)
    .updateMany({ gateway: { $exists: false } }, [{ $set: copies }], UNCHECKED)
}

type Renamed = { name: string; fields: Record<string, string> }

async function replaceKeys(
  db: Db,
  contract: StoredContract,
  { name, fields }: Renamed,
): Promise<void> {
  const newNames = Object.values(fields)
  const keys = indexesOf(contract, name).filter((index) =>
    index.keys.some(({ field }) => newNames.includes(field)),
  )
  if (keys.length > 0) await db.command(indexCommand(name, keys))
  for (const { key, name: index } of await db.collection(name).indexes()) {
    const isOld = Object.keys(key).some((field) => field in fields)
    if (isOld && index !== undefined) await db.collection(name).dropIndex(index)
  }
}

async function dropFields(db: Db, name: string, fields: Record<string, string>): Promise<void> {
  for (const old of Object.keys(fields)) {
    await db
      .collection(name)
      .updateMany({ [old]: { $exists: true } }, { $unset: { [old]: '' } }, UNCHECKED)
  }
}
