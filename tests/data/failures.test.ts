import {
  MongoBulkWriteError,
  MongoError,
  MongoExpiredSessionError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoNotConnectedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
  type BulkWriteResult,
  type TopologyDescription,
} from 'mongodb'
import { describe, expect, it } from 'vitest'
import { databaseFailureOf } from '../../src/db-failure.ts'

const server = (code: number) => new MongoServerError({ code, errmsg: 'from a test' })
const socket = (code: string) => Object.assign(new Error('from a test'), { code })
const named = (name: string) =>
  Object.defineProperty(new MongoError('from a test'), 'name', { value: name })
const labelled = (label: string) => {
  const error = server(1)
  error.addErrorLabel(label)
  return error
}
const bulk = (error: ConstructorParameters<typeof MongoBulkWriteError>[0], told?: object) =>
  new MongoBulkWriteError(error, {
    getWriteConcernError: () => told,
  } as unknown as BulkWriteResult)
const topology = { error: null } as unknown as TopologyDescription

const AWAY: Record<string, Error> = {
  'a connection that broke': new MongoNetworkError('from a test'),
  'a connection that was silent': new MongoNetworkTimeoutError('from a test'),
  'no server to be found': new MongoServerSelectionError('from a test', topology),
  'a pool that was cleared': named('MongoPoolClearedError'),
  'a pool that was closed': named('MongoPoolClosedError'),
  'a client that was closed': new MongoTopologyClosedError('from a test'),
  'a client that is not connected': new MongoNotConnectedError('from a test'),
  'a session that has expired': new MongoExpiredSessionError('from a test'),
  'a write concern that was not met': new MongoWriteConcernError({
    ok: 1,
    writeConcernError: { code: 1, errmsg: 'from a test' },
  }),
  'a bulk write whose write concern was not met': bulk(server(1), { code: 64 }),
  'a bulk write into a connection that broke': bulk(new MongoNetworkError('from a test')),
  'a bulk write to a former primary': bulk(server(10107)),
  'an error in another’s name': new Error('wrapped', { cause: server(11602) }),
  'an error in another’s name, and another’s': new Error('wrapped', {
    cause: new Error('wrapped', { cause: new MongoNetworkError('from a test') }),
  }),
  'a retryable write': labelled('RetryableWriteError'),
  'a server under too much load': labelled('SystemOverloadedError'),
}
for (const code of [6, 7, 89, 9001, 91, 189, 10107, 11600, 11602, 13435, 13436, 43, 64, 79, 100])
  AWAY[`code ${code}`] = server(code)
for (const code of ['EPIPE', 'ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'ENOTFOUND'])
  AWAY[code] = socket(code)

const LATE: Record<string, Error> = {
  'a statement past its deadline': server(50),
  'a wait past its deadline': server(262),
  'no connection was free in time': named('MongoWaitQueueTimeoutError'),
  'an operation past its deadline': named('MongoOperationTimeoutError'),
  'a bulk write past its deadline': bulk(server(50)),
}

const NEITHER: Record<string, unknown> = {
  'a duplicate key': server(11000),
  'a bulk write with a duplicate key': bulk(server(11000)),
  'a statement that makes no sense': server(2),
  'a document that is too large': server(10334),
  'any error of ours': new Error('from a test'),
  'a fault of a file': socket('ENOENT'),
  'an error that wraps another of ours': new Error('one', { cause: new Error('other') }),
  'what is no error': { code: 50 },
  nothing: null,
}

describe('what the database failed with', () => {
  it.each(Object.entries(AWAY))('is that it was away: %s', (_what, error) => {
    expect(databaseFailureOf(error)).toBe('away')
  })
  it.each(Object.entries(LATE))('is that it was late: %s', (_what, error) => {
    expect(databaseFailureOf(error)).toBe('late')
  })
  it.each(Object.entries(NEITHER))('is nothing of the database’s: %s', (_what, error) => {
    expect(databaseFailureOf(error)).toBeNull()
  })
  it('is looked for in an error that holds itself, too', () => {
    const endless = new Error('from a test')
    endless.cause = endless
    expect(databaseFailureOf(endless)).toBeNull()
  })
})
