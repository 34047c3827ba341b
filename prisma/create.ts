import { type Db, type Document, MongoClient, MongoServerError } from 'mongodb'

/** What this file reads of contract.json. */
export type StoredContract = {
  storage: {
    namespaces: Record<string, { entries: { collection: Record<string, StoredCollection> } }>
  }
}

type StoredCollection = {
  validator?: { jsonSchema: Document; validationLevel: 'strict'; validationAction: 'error' }
  indexes?: ({ kind: string; keys: { field: string; direction: 1 | -1 | 'text' }[] } & Document)[]
}

const NAMESPACE_EXISTS = 48

type StoredIndexes = NonNullable<StoredCollection['indexes']>

function collectionsOf(contract: StoredContract): [string, StoredCollection][] {
  return Object.values(contract.storage.namespaces).flatMap(({ entries }) =>
    Object.entries(entries.collection),
  )
}

/** What the contract declares for one collection; none for one it does not know. */
export function indexesOf(contract: StoredContract, name: string): StoredIndexes {
  return collectionsOf(contract).find(([one]) => one === name)?.[1].indexes ?? []
}

/** The command that creates these indexes, under the names Prisma gives them. Done again, it changes nothing. */
export function indexCommand(name: string, indexes: StoredIndexes): Document {
  return {
    createIndexes: name,
    indexes: indexes.map(({ kind: _kind, keys, ...options }) => ({
      ...options,
      key: Object.fromEntries(keys.map(({ field, direction }) => [field, direction])),
      name: keys.map(({ field, direction }) => `${field}_${direction}`).join('_'),
    })),
  }
}

async function createCollection(
  db: Db,
  name: string,
  validator: StoredCollection['validator'],
): Promise<void> {
  try {
    await db.createCollection(name, {
      ...(validator && {
        validator: { $jsonSchema: validator.jsonSchema },
        validationLevel: validator.validationLevel,
        validationAction: validator.validationAction,
      }),
    })
  } catch (error) {
    // Another process is creating the same database, from the same contract or one refused below.
    if (!(error instanceof MongoServerError && error.code === NAMESPACE_EXISTS)) throw error
  }
}

/**
 * Creates every collection of the contract at once, if the database has none. An update does so one
 * index at a time, each checked before and after, which takes thrice as long; it follows anyway, finds
 * nothing to do, and so holds this to what it would have done.
 */
export async function createCollections(url: string, contract: StoredContract): Promise<void> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5_000 })
  try {
    const db = client.db()
    if (await db.listCollections({}, { nameOnly: true }).hasNext()) return
    await Promise.all(
      collectionsOf(contract).map(async ([name, { validator, indexes = [] }]) => {
        await createCollection(db, name, validator)
        if (indexes.length > 0) await db.command(indexCommand(name, indexes))
      }),
    )
  } finally {
    await client.close()
  }
}
