import type { Collection, Db, MongoClient } from 'mongodb'

// Where each method of a collection takes its options. Prisma 8 (rc.13) passes none and the driver's
// client-wide `timeoutMS` has no effect (7.9), so a statement's deadline can only be set here.
const OPTIONS_AT: Readonly<Record<string, number>> = {
  aggregate: 1,
  insertOne: 1,
  insertMany: 1,
  updateOne: 2,
  updateMany: 2,
  deleteOne: 1,
  deleteMany: 1,
  findOneAndUpdate: 2,
  findOneAndDelete: 1,
}

/** The same client, whose collections stop any statement after `milliseconds` (server error 50). */
export function withDeadline(client: MongoClient, milliseconds: number): MongoClient {
  const limit = (collection: Collection) =>
    replaceMethods(collection, (name, method) => {
      const at = OPTIONS_AT[name]
      if (at === undefined) return method
      return (...args: unknown[]) => {
        args[at] = { maxTimeMS: milliseconds, ...Object(args[at]) }
        return method(...args)
      }
    })
  const limitDb = (db: Db) =>
    replaceMethods(db, (name, method) =>
      name === 'collection' ? (...args: string[]) => limit(db.collection(args[0] ?? '')) : method,
    )
  return replaceMethods(client, (name, method) =>
    name === 'db' ? (...args: string[]) => limitDb(client.db(args[0])) : method,
  )
}

type Method = (...args: unknown[]) => unknown

function replaceMethods<T extends object>(
  target: T,
  replace: (name: string, method: Method) => unknown,
): T {
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object)
      if (typeof value !== 'function' || typeof key !== 'string') return value
      return replace(key, (...args) => Reflect.apply(value, object, args))
    },
  })
}
