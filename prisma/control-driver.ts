import mongoDriver, { MongoControlDriver } from '@prisma/orm-mongo/driver/control'
import { type Collection, type Db, type Document, MongoClient, MongoServerError } from 'mongodb'

// Prisma's MongoDB driver for schema work, with answers to what 8.0.0-rc.13 and the embedded server
// lack. tests/data/workarounds.test.ts fails when one of them is no longer needed.

type Command = Parameters<MongoControlDriver['run']>[0]
export type Index = {
  key: Record<string, unknown>
  collation?: { locale: string }
  weights?: Record<string, number>
  default_language?: string
  language_override?: string
}
type CollMod = Extract<Command, { kind: 'collMod' }>

const COMMAND_NOT_FOUND = 59

/** The embedded server lists the simple collation, which is the absence of one, on every index. */
export function withoutSimpleCollation({ collation, ...index }: Index): Index {
  const isSimple = collation?.locale === 'simple'
  return collation === undefined || isSimple ? index : { ...index, collation }
}

/**
 * MongoDB stores a text index under the keys `_fts` and `_ftsx`; the planner compares those with the
 * declared fields, and so would drop and create the index again at every update.
 */
function withDeclaredTextKeys(index: Index): Index {
  const { key, weights, default_language, language_override, ...rest } = index
  if (weights === undefined) return index
  const fields = Object.keys(weights).sort()
  const declared: Record<string, unknown> = {}
  for (const [field, order] of Object.entries(key)) {
    if (field === '_fts') for (const name of fields) declared[name] = 'text'
    else if (field !== '_ftsx') declared[field] = order
  }
  return {
    ...rest,
    ...(fields.every((name) => weights[name] === 1) ? {} : { weights }),
    ...(default_language === 'english' ? {} : { default_language }),
    ...(language_override === 'language' ? {} : { language_override }),
    // Prechecks recognise a text index by its own `_fts`; the planner enumerates the keys.
    key: Object.defineProperty(declared, '_fts', { value: 'text' }),
  }
}

function describeIndexes(db: Db, describe: (index: Index) => Index): Db {
  const collection = db.collection.bind(db)
  db.collection = <T extends Document>(...args: Parameters<Db['collection']>): Collection<T> => {
    const handle = collection<T>(...args)
    const listIndexes = handle.listIndexes.bind(handle)
    handle.listIndexes = (options) => {
      const cursor = listIndexes(options)
      // A cursor's map changes the cursor itself.
      cursor.map(describe)
      return cursor
    }
    return handle
  }
  return db
}

/**
 * The embedded server has no collMod, so the collection is copied under its new validator and takes
 * the old one's place. A write made meanwhile is lost: this is for a database nobody else is using,
 * and a MongoDB that has collMod never comes here.
 */
async function rebuildCollection(db: Db, command: CollMod): Promise<void> {
  const { collection: name, validator, validationLevel, validationAction } = command
  const copy = `${name}__rebuild`
  const indexes = await db.collection(name).listIndexes().toArray()
  await db.dropCollection(copy)
  await db.createCollection(copy, {
    ...(validator === undefined ? {} : { validator }),
    ...(validationLevel === undefined ? {} : { validationLevel }),
    ...(validationAction === undefined ? {} : { validationAction }),
  })
  const secondary = indexes.filter((index: Document) => index['name'] !== '_id_')
  if (secondary.length > 0) await db.command({ createIndexes: copy, indexes: secondary })
  await db
    .collection(name)
    .aggregate([{ $merge: { into: copy, on: '_id', whenMatched: 'fail' } }], {
      bypassDocumentValidation: true,
    })
    .toArray()
  await db.renameCollection(copy, name, { dropTarget: true })
}

function createDriver(client: MongoClient, describe: (index: Index) => Index): MongoControlDriver {
  const db = describeIndexes(client.db(), describe)
  const driver = new MongoControlDriver(db, client)
  const run = driver.run.bind(driver)
  return Object.assign(driver, {
    /** Without it no `--confirm <database>` matches, and a destructive update cannot be agreed to. */
    databaseName: () => db.databaseName,
    run: async (command: Command): Promise<void> => {
      try {
        await run(command)
      } catch (error) {
        const lacksCollMod = error instanceof MongoServerError && error.code === COMMAND_NOT_FOUND
        if (command.kind !== 'collMod' || !lacksCollMod) throw error
        await rebuildCollection(db, command)
      }
    },
  })
}

/** Prisma's driver, seeing indexes as `describe` tells them. */
export function controlDriverSeeing(describe: (index: Index) => Index): typeof mongoDriver {
  return {
    ...mongoDriver,
    create: async (url: string) => {
      const client = new MongoClient(url, { serverSelectionTimeoutMS: 5_000 })
      await client.connect()
      return createDriver(client, describe)
    },
  }
}

export const controlDriver = controlDriverSeeing((index) =>
  withDeclaredTextKeys(withoutSimpleCollation(index)),
)
