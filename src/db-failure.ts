import { MongoError, MongoNetworkError, MongoServerSelectionError } from 'mongodb'

/**
 * What kept the database from answering: it is `away` (not reached, or about to elect another primary), or it
 * was `late` (a statement's deadline passed). A write may have been made in both.
 */
export type DatabaseFailure = 'away' | 'late'

// MaxTimeMSExpired, ExceededTimeLimit, NetworkInterfaceExceededTimeLimit, LockTimeout, Interrupted.
const LATE = new Set<unknown>([50, 262, 202, 24, 11601])

const AWAY = new Set<unknown>([
  // HostUnreachable, HostNotFound, NetworkTimeout, SocketException.
  ...[6, 7, 89, 9001],
  // ShutdownInProgress, PrimarySteppedDown, NotWritablePrimary and its elder, InterruptedAtShutdown,
  // InterruptedDueToReplStateChange, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary.
  ...[91, 189, 10107, 10058, 11600, 11602, 13435, 13436],
  // CursorNotFound and CursorKilled (it was the former primary's), QueryPlanKilled,
  // FailedToSatisfyReadPreference, ReadConcernMajorityNotAvailableYet.
  ...[43, 237, 175, 133, 134],
  // Write concerns that were not met: WriteConcernTimeout, UnknownReplWriteConcern, UnsatisfiableWriteConcern.
  ...[64, 79, 100],
  // WriteConflict, and what a router answers while chunks move: StaleShardVersion, StaleEpoch, StaleConfig.
  ...[112, 63, 150, 13388],
  // IngressRequestRateLimitExceeded.
  462,
])

// The driver rejects with the socket's own error where it writes to one that the server has half closed.
const SOCKET = new Set<unknown>([
  ...['EPIPE', 'ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'ETIMEDOUT', 'EHOSTUNREACH'],
  ...['ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ERR_STREAM_DESTROYED'],
])

// By name: the driver does not export all of these classes.
const NAMES = new Set([
  ...['MongoWriteConcernError', 'MongoPoolClearedError', 'PoolClearedOnNetworkError'],
  ...['MongoPoolClosedError', 'MongoTopologyClosedError'],
  ...['MongoServerClosedError', 'MongoClientClosedError', 'MongoNotConnectedError'],
  ...['MongoStalePrimaryError', 'MongoExpiredSessionError', 'MongoUnexpectedServerResponseError'],
])
const LATE_NAMES = new Set(['MongoWaitQueueTimeoutError', 'MongoOperationTimeoutError'])

const LABELS = ['RetryableWriteError', 'RetryableError', 'SystemOverloadedError', 'ResetPool']
const DEEPEST = 5

/**
 * Whether it was the database that failed and not what it was asked; null for anything else, as for a
 * duplicate key. Looks through what wraps an error: Prisma, and the driver's own for bulk writes.
 */
export function databaseFailureOf(error: unknown, depth = 0): DatabaseFailure | null {
  if (!(error instanceof Error) || depth > DEEPEST) return null
  return (
    ownFailureOf(error) ??
    databaseFailureOf(error.cause, depth + 1) ??
    databaseFailureOf(Reflect.get(error, 'errorResponse'), depth + 1)
  )
}

function ownFailureOf(error: Error): DatabaseFailure | null {
  const code: unknown = Reflect.get(error, 'code')
  if (!(error instanceof MongoError)) return SOCKET.has(code) ? 'away' : null
  if (LATE.has(code) || LATE_NAMES.has(error.name)) return 'late'
  const isAway =
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    AWAY.has(code) ||
    NAMES.has(error.name) ||
    LABELS.some((label) => error.hasErrorLabel(label)) ||
    hasWriteConcernError(error)
  return isAway ? 'away' : null
}

/** Of a bulk write that was made, and of which too few members of the set know. */
function hasWriteConcernError(error: MongoError): boolean {
  const result: unknown = Reflect.get(error, 'result')
  const told: unknown = Reflect.get(Object(result), 'getWriteConcernError')
  const hasWritten = Reflect.get(error, 'code') !== 11000
  return hasWritten && typeof told === 'function' && Boolean(Reflect.apply(told, result, []))
}
