import { randomUUID } from 'node:crypto'
import { MongoFieldFilter, MongoOrExpr } from '@prisma/orm-mongo/query-ast/execution'
import { isDuplicateKey } from './db.ts'
import type { Deps, Uses } from './deps.ts'
import { MINUTE_MS } from './durations.ts'
import type { Job } from './jobs.ts'

const LEASE_MS = MINUTE_MS

/** Answers whether the work is still ours, and holds it for another minute if it is. */
export type Keep = () => Promise<boolean>

/**
 * Does the work while no other run anywhere does it; false when another has it. A holder that dies is waited
 * for by a minute. It spares double work and is no lock: the work stays correct done twice at once. Throws
 * what the work throws.
 */
export async function withLease(
  deps: Uses<'db' | 'now'>,
  name: string,
  work: (keep: Keep) => Promise<void>,
): Promise<boolean> {
  const holder = randomUUID()
  if (!(await acquire(deps, name, holder))) return false
  try {
    await work(async () => {
      const kept = await deps.db.orm.leases
        .where({ name, holder })
        .update({ until: new Date(deps.now().getTime() + LEASE_MS) })
      return kept !== null
    })
    return true
  } finally {
    await deps.db.orm.leases.where({ name, holder }).update({ until: new Date(0) })
  }
}

type LeasedJob = Pick<Job, 'name' | 'everySeconds'> & {
  /** `keep` answers false also when the server is about to stop. */
  work: (deps: Deps, keep: Keep) => Promise<void>
  /** Whether what was thrown is no fault of ours, as when a gateway is away: it is a warning in the log. */
  isNoFault?: (error: unknown) => boolean
}

/** A job that one instance at a time does, under a lease of its name; `name` must be nobody else's. */
export const leased = ({ name, everySeconds, work, isNoFault }: LeasedJob): Job => ({
  name,
  everySeconds,
  run: async (deps, stopping) => {
    try {
      await withLease(deps, name, (keep) =>
        work(deps, async () => !stopping.aborted && (await keep())),
      )
    } catch (error) {
      if (isNoFault?.(error) !== true) throw error
      deps.log.warn({ err: error, job: name }, 'job put off')
    }
  },
})

async function acquire({ db, now }: Uses<'db' | 'now'>, name: string, holder: string) {
  const at = now().getTime()
  const until = new Date(at + LEASE_MS)
  const taken = await db.orm.leases
    .where({ name })
    .where(
      MongoOrExpr.of([
        MongoFieldFilter.lte('until', new Date(at)),
        // Nobody can hold it that long: the clock was set back since.
        MongoFieldFilter.gt('until', new Date(at + 2 * LEASE_MS)),
      ]),
    )
    .update({ holder, until })
  if (taken) return true
  try {
    await db.orm.leases.create({ name, holder, until })
    return true
  } catch (error) {
    if (isDuplicateKey(error)) return false
    throw error
  }
}
