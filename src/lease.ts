import { randomUUID } from 'node:crypto'
import { MongoFieldFilter, MongoOrExpr } from '@prisma/orm-mongo/query-ast/execution'
import { isDuplicateKey } from './db.ts'
import type { Uses } from './deps.ts'

const LEASE_MS = 60_000

/** Answers whether the work is still ours, and holds it for another minute if it is. */
export type Keep = () => Promise<boolean>

/**
 * Does the work while no other run anywhere does it; false when another has it. A holder that dies is
 * waited for by a minute. It spares double work and is no lock: the work stays correct done twice at once.
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
