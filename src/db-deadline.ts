import type { Collection, Db, Document, MongoClient } from 'mongodb'

// Where each method takes its options. Prisma 8 (rc.13) passes none and the driver's client-wide `timeoutMS`
// has no effect (7.9), so a statement's deadline can only be set here.
const OF_COLLECTION = {
  aggregate: 1,
  bulkWrite: 1,
  countDocuments: 1,
  deleteMany: 1,
  deleteOne: 1,
  distinct: 2,
  estimatedDocumentCount: 0,
  find: 1,
  findOne: 1,
  findOneAndDelete: 1,
  findOneAndReplace: 2,
  findOneAndUpdate: 2,
  insertMany: 1,
  insertOne: 1,
  replaceOne: 2,
  updateMany: 2,
  updateOne: 2,
} as const satisfies Partial<Record<keyof Collection, number>>

const OF_DATABASE = { dropDatabase: 0, listCollections: 1 } as const satisfies Partial<
  Record<keyof Db, number>
>

/** The statements of a collection that have a deadline; there are no others. */
export type LimitedCollection<Row extends Document = Document> = Pick<
  Collection<Row>,
  keyof typeof OF_COLLECTION
>

/** A database of the driver's whose every statement has a deadline. */
export type LimitedDb = Pick<Db, 'databaseName' | keyof typeof OF_DATABASE> & {
  collection: <Row extends Document = Document>(name: string) => LimitedCollection<Row>
}

/**
 * The same client, whose server stops any statement after `milliseconds` (error 50, `MaxTimeMSExpired`). A
 * statement may set another `maxTimeMS` of its own; of a cursor's it covers the time of all its batches. A
 * method of a collection or a database that would run without a deadline throws an Error.
 */
export function withDeadline(client: MongoClient, milliseconds: number): MongoClient {
  const limitCollection = (collection: Collection) =>
    replaceMethods(collection, limit('collection', OF_COLLECTION, milliseconds))
  const limitDb = (db: Db) => {
    const limited = limit('database', OF_DATABASE, milliseconds)
    return replaceMethods(db, (name, method) =>
      name === 'collection'
        ? (...args: Parameters<Db['collection']>) => limitCollection(db.collection(...args))
        : limited(name, method),
    )
  }
  return replaceMethods(client, (name, method) =>
    name === 'db'
      ? (...args: Parameters<MongoClient['db']>) => limitDb(client.db(...args))
      : method,
  )
}

type Method = (...args: unknown[]) => unknown
type Replace = (name: string, method: Method) => unknown

function limit(of: string, places: Readonly<Record<string, number>>, maxTimeMS: number): Replace {
  return (name, method) => {
    const at = places[name]
    return (...args: unknown[]) => {
      if (at === undefined) throw new Error(`${name} of a ${of} would run without a deadline`)
      args[at] = { maxTimeMS, ...Object(args[at]) }
      return method(...args)
    }
  }
}

function replaceMethods<T extends object>(target: T, replace: Replace): T {
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object)
      if (typeof value !== 'function' || typeof key !== 'string') return value
      return replace(key, (...args) => Reflect.apply(value, object, args))
    },
  })
}
