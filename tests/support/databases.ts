// Databases for tests. Making one that has the contract takes a second and emptying one next to nothing, so those of
// ended tests are handed out again: empty, and with the collections they were made with.
import { randomBytes } from 'node:crypto'
import { MongoClient, type Db } from 'mongodb'
import { inject } from 'vitest'
import { applyContract } from '../../prisma/apply.ts'
import { databaseUrl } from '../../sandbox/mongo/start.ts'

/** With more in it, a database is dropped sooner than emptied. */
const LARGE = 2_000

type Spare = { url: string; collections: string }
const spare: Spare[] = []
const lent = new Map<string, Spare>()

/** The address of a database that does not exist yet. */
export function newDatabaseUrl(): string {
  return databaseUrl(inject('mongoUrl'), `test-${randomBytes(6).toString('hex')}`)
}

/** The address of an empty database that has the contract; only for tests that leave its collections as they are. */
export async function takeDatabase(): Promise<string> {
  const next = spare.pop() ?? (await make())
  lent.set(next.url, next)
  return next.url
}

/** Takes back what was lent; any other database is dropped. */
export async function giveDatabase(url: string): Promise<void> {
  const known = lent.get(url)
  lent.delete(url)
  // A test may have taken the database, or its whole server, away.
  await withDatabase(url, async (db) => {
    if (known && (await isAsMade(db, known)) && (await empty(db))) spare.push(known)
    // The engine keeps the files of a database open, and can have only so many.
    else await db.dropDatabase()
  }).catch(() => undefined)
}

async function make(): Promise<Spare> {
  const url = newDatabaseUrl()
  await applyContract(url)
  return { url, collections: await withDatabase(url, collectionsOf) }
}

async function collectionsOf(db: Db): Promise<string> {
  const found = await db.listCollections({}, { nameOnly: true }).toArray()
  return found
    .map(({ name }) => name)
    .sort()
    .join()
}

async function isAsMade(db: Db, { collections }: Spare): Promise<boolean> {
  return (await collectionsOf(db)) === collections
}

/** Whether it is empty now: not if there was too much in it. */
async function empty(db: Db): Promise<boolean> {
  const all = await db.collections()
  const counts = await Promise.all(all.map((collection) => collection.estimatedDocumentCount()))
  if (counts.reduce((sum, count) => sum + count, 0) > LARGE) return false
  await Promise.all(all.map((collection) => collection.deleteMany({})))
  return true
}

async function withDatabase<T>(url: string, work: (db: Db) => Promise<T>): Promise<T> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 1_000 })
  try {
    return await work(client.db())
  } finally {
    await client.close()
  }
}
