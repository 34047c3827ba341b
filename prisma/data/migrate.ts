// Brings the documents of an older database along, before the contract is applied to it: Prisma changes collections,
// validators and indexes, and knows nothing of what a field used to be called. Nothing else may write meanwhile.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { MongoClient, type Db } from 'mongodb'
import type { StoredContract } from '../create.ts'
import { admission } from './admission.ts'
import { gateways } from './gateways.ts'
import { lateUses } from './late-uses.ts'
import { lostDisputes } from './lost-disputes.ts'
import { oneOrder } from './one-order.ts'
import { saleTerms } from './sale-terms.ts'

export type DataMigration = {
  name: string
  /** Whether the database is older than this migration, or in the middle of it. */
  isDue: (db: Db) => Promise<boolean>
  /** In order; each may be done again, by whoever begins anew after a kill. */
  steps: (db: Db, contract: StoredContract) => (() => Promise<void>)[]
}

/** Oldest first. */
const MIGRATIONS: DataMigration[] = [
  gateways,
  saleTerms,
  admission,
  oneOrder,
  lostDisputes,
  lateUses,
]

export async function readContract(): Promise<StoredContract> {
  const file = path.join(import.meta.dirname, '..', 'contract.json')
  return JSON.parse(await readFile(file, 'utf8')) as StoredContract
}

/** Does what is due, and answers the names of what was done. */
export async function migrateData(
  databaseUrl: string,
  contract: StoredContract,
): Promise<string[]> {
  const client = new MongoClient(databaseUrl, { serverSelectionTimeoutMS: 5_000 })
  const done: string[] = []
  try {
    const db = client.db()
    for (const migration of MIGRATIONS) {
      if (!(await migration.isDue(db))) continue
      for (const step of migration.steps(db, contract)) await step()
      done.push(migration.name)
    }
  } finally {
    await client.close()
  }
  return done
}
