import mongo from '@prisma/orm-mongo/runtime'
import { MongoParamRef } from '@prisma/orm-mongo/value'
import { MongoClient, MongoServerError } from 'mongodb'
import type { Contract } from '../prisma/contract.d.ts'
import contractJson from '../prisma/contract.json' with { type: 'json' }
import { withDeadline, type LimitedDb } from './db-deadline.ts'
import { withinTime } from './deadline.ts'

/** No statement may hold the engine longer than this, unless it says another `maxTimeMS` and why. */
const STATEMENT_MS = 5_000
const PING_MS = 2_000

/** The database: Prisma's ways to it, and the driver's for what Prisma cannot say. */
export type Db = Awaited<ReturnType<typeof openDb>>

/**
 * Opens Prisma over a driver client with deadlines and majority writes; `url` names the database. A statement
 * that took too long, or reached no server, rejects with what databaseFailureOf knows.
 */
export async function openDb(url: string) {
  const client = new MongoClient(url, {
    maxPoolSize: 50,
    serverSelectionTimeoutMS: 3_000,
    connectTimeoutMS: 3_000,
    socketTimeoutMS: 15_000,
    // Behind fifty statements that hang, nothing waits without end.
    waitQueueTimeoutMS: 5_000,
    writeConcern: { w: 'majority' },
  })
  const dbName = client.options.dbName
  const limited = withDeadline(client, STATEMENT_MS)
  const prisma = mongo<Contract>({ contractJson, mongoClient: limited, dbName })
  const driver: LimitedDb = limited.db(dbName)
  return {
    orm: prisma.orm,
    query: prisma.query,
    raw: prisma.raw,
    runtime: await prisma.runtime(),
    /** The driver's own database, for what Prisma cannot say: array filters, hot pipelines. */
    driver,
    /** Resolves when the database answers within two seconds. */
    // By a clock of ours: the driver (7.9) heeds no deadline of a command before the socket's.
    ping: () => withinTime(client.db(dbName).command({ ping: 1 }), PING_MS, refuseToWait),
    close: async () => {
      await prisma.close()
      await client.close()
    },
  }
}

/** A document of a collection as Prisma reads it: for the server's own use, never an answer. */
export type Stored<Name extends keyof Db['orm']> = NonNullable<
  Awaited<ReturnType<Db['orm'][Name]['first']>>
>

/** An id inside a filter expression: there, a plain hex string compiles and silently matches nothing. */
export function oid(id: string): MongoParamRef {
  return new MongoParamRef(id, { codecId: 'mongo/objectId@1' })
}

/** True when a unique key refused the write: someone else was first. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === 11000
}

function refuseToWait(): never {
  throw new Error('the database did not answer in time')
}
