// Work that is written down as rows, each with how often it was tried and when it is due. Any number of
// instances may work at once, and be killed anywhere: an attempt is claimed by one conditional write on
// `attempts`. What a dead instance had claimed falls due again, however far it had come, so an attempt must
// bear being made twice.
import { MongoFieldFilter, type MongoFilterExpr } from '@prisma/orm-mongo/query-ast/execution'
import { oid } from './db.ts'
import type { Uses } from './deps.ts'

type WorkRow = { _id: string; attempts: number }

/** Rows of Prisma's, such as `db.orm.outbox_mails.where({ state: 'WAITING' })`. */
type Rows<Row> = {
  where: (filter: MongoFilterExpr) => Rows<Row>
  orderBy: (order: { nextAt: 1 }) => Rows<Row>
  limit: (most: number) => Rows<Row>
  all: () => PromiseLike<Row[]>
  first: () => PromiseLike<Row | null>
  update: (claim: { attempts: number; nextAt: Date }) => PromiseLike<Row | null>
}

/** Milliseconds that a row waits after its first failed attempt, and at most after any. */
export type Backoff = { firstMs: number; longestMs: number }

/** What one kind of work is, to those who do it. */
export type WorkQueue<Row extends WorkRow, Outcome = void> = {
  /** The rows that nobody is done with. */
  open: Rows<Row>
  /** What must be as it was read for a claim to hold, besides the attempts. */
  isAsRead?: (row: Row) => MongoFilterExpr
  /** Longer than an attempt may take, so that nobody else begins the same one; in milliseconds. */
  claimMs: number
  backoff: Backoff
  /** One attempt, at a row as it was claimed; it fails by throwing. */
  attempt: (row: Row) => Promise<Outcome>
  /** Notes that an attempt went well, where the attempt itself does not. */
  done?: (row: Row, outcome: Outcome) => Promise<void>
  /**
   * Notes that an attempt failed, in one conditional write: due again at `nextAt`, or given up where another
   * attempt is hopeless or too late. What it throws ends the run, and leaves the row to whoever comes after
   * its claim.
   */
  failed: (row: Row, error: unknown, nextAt: Date) => Promise<void>
}

/** `wait = min(first × 2^(attempts − 1), longest)`, in milliseconds, after so many failed attempts. */
export function waitAfter(attempts: number, { firstMs, longestMs }: Backoff): number {
  return Math.min(firstMs * 2 ** (attempts - 1), longestMs)
}

/**
 * One attempt at this row now, due or not, and whoever may be at it already; none where it is open no more,
 * or somebody else claims it first. Throws what `done` and `failed` throw.
 */
export async function attemptNow<Row extends WorkRow, Outcome>(
  deps: Uses<'now'>,
  queue: WorkQueue<Row, Outcome>,
  id: string,
): Promise<void> {
  const row = await queue.open.where(MongoFieldFilter.eq('_id', oid(id))).first()
  if (row) await attempt(deps, queue, row)
}

type Run = {
  /** The most rows that one run attempts. */
  perRun: number
  /** How many of them together; one after the other by default. */
  atOnce?: number
  /** Asked before each such lot; the run ends where it answers false. */
  keep: () => Promise<boolean>
}

/** Attempts what is due by `deps.now()`, oldest first. Throws what `done` and `failed` throw. */
export async function workOff<Row extends WorkRow, Outcome>(
  deps: Uses<'now'>,
  queue: WorkQueue<Row, Outcome>,
  { perRun, atOnce = 1, keep }: Run,
): Promise<void> {
  for (let begun = 0; begun < perRun; begun += atOnce) {
    if (!(await keep())) return
    const due = await queue.open
      .where(MongoFieldFilter.lte('nextAt', deps.now()))
      .orderBy({ nextAt: 1 })
      .limit(Math.min(atOnce, perRun - begun))
      .all()
    if (due.length === 0) return
    await Promise.all(due.map((row) => attempt(deps, queue, row)))
  }
}

async function attempt<Row extends WorkRow, Outcome>(
  deps: Uses<'now'>,
  queue: WorkQueue<Row, Outcome>,
  row: Row,
): Promise<void> {
  const claimed = await claim(deps, queue, row)
  if (!claimed) return
  let outcome: Outcome
  try {
    outcome = await queue.attempt(claimed)
  } catch (error) {
    await queue.failed(claimed, error, after(deps, waitAfter(claimed.attempts, queue.backoff)))
    return
  }
  await queue.done?.(claimed, outcome)
}

async function claim<Row extends WorkRow, Outcome>(
  deps: Uses<'now'>,
  { open, isAsRead, claimMs }: WorkQueue<Row, Outcome>,
  row: Row,
): Promise<Row | null> {
  const unclaimed = open
    .where(MongoFieldFilter.eq('_id', oid(row._id)))
    .where(MongoFieldFilter.eq('attempts', row.attempts))
  const asRead = isAsRead ? unclaimed.where(isAsRead(row)) : unclaimed
  return asRead.update({ attempts: row.attempts + 1, nextAt: after(deps, claimMs) })
}

function after({ now }: Uses<'now'>, milliseconds: number): Date {
  return new Date(now().getTime() + milliseconds)
}
