import { TRPCClientError } from '@trpc/client'
import type { Reason } from '../../../src/errors.ts'
import type { FlakyDatabase } from './flaky-database.ts'
import type { Instance, World } from './world.ts'

/** One of them, by whatever number. */
export function pick<T>(list: readonly T[], number: number): T | undefined {
  return list[number % Math.max(list.length, 1)]
}

type Heard = { reason: Reason | null }

/**
 * Makes a call as a client would and answers how it was refused, or null when it was not. An inner error is
 * no answer while the database is well, whatever the gateway does.
 */
export async function attempt(
  world: World,
  { database }: Instance,
  call: () => Promise<unknown>,
): Promise<Heard> {
  const before = database.spoiled()
  try {
    await call()
    return { reason: null }
  } catch (error) {
    const reason = reasonOf(error)
    if (reason === 'INTERNAL' && !isExcused(database, before))
      world.faults.push(`inner error: ${String(error)}`)
    return { reason }
  }
}

/** Whether something went wrong between this instance and its database since it had spoiled so many calls. */
export function isExcused(database: FlakyDatabase, before: number): boolean {
  return database.spoiled() > before || database.isDead() || database.isShaken()
}

function reasonOf(error: unknown): Reason {
  if (!(error instanceof TRPCClientError)) throw error
  const data = error.data as { reason: Reason } | null
  return data?.reason ?? 'INTERNAL'
}

/** Says so when a refusal is not one of these; with a broken database, anything may be. */
export function expectRefusal(world: World, { reason }: Heard, allowed: Reason[]): void {
  if (reason !== null && [...allowed, 'INTERNAL', 'UNAVAILABLE'].includes(reason)) return
  world.faults.push(`expected ${allowed.join(' or ')}, got ${reason ?? 'a success'}`)
}
