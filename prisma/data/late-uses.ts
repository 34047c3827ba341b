// December 2026: a coupon's use by somebody who paid late counts towards its limits like any other. Until then it did
// not, so uses of such a coupon cannot be judged by the limits that are written on them.
import type { Db } from 'mongodb'
import type { DataMigration } from './migrate.ts'
import { UNCHECKED } from './unchecked.ts'

// The field came with the new rule.
const EARLIER = { holdSlot: { $exists: false } }

export const lateUses: DataMigration = {
  name: 'coupons that were used late',
  isDue: async (db) => (await usesIn(db).findOne({ ...EARLIER, late: true })) !== null,
  // Those that were late come last: by them the coupon is found again, should this be cut off.
  steps: (db) => [() => liftLimits(db, false), () => liftLimits(db, true)],
}

const usesIn = (db: Db) => db.collection('coupon_uses')

async function liftLimits(db: Db, late: boolean): Promise<void> {
  const codes: unknown[] = await usesIn(db).distinct('code', { ...EARLIER, late: true })
  const sold = { ...EARLIER, late, code: { $in: codes } }
  const set = { maxTotal: null, maxPerUser: null, holdSlot: null }
  await usesIn(db).updateMany(sold, { $set: set }, UNCHECKED)
}
