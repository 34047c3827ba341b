import type { Db } from './db.ts'

const queues = new WeakMap<Db, Map<string, Promise<unknown>>>()

/**
 * Does the work of one key one after the other in this instance. It spares those who come at once from
 * getting in each other's way; what is right across instances is decided by unique keys alone. Settles as the
 * work does, and a piece that fails holds up none after it.
 */
export async function inTurn<T>(db: Db, key: string, work: () => Promise<T>): Promise<T> {
  const waiting = queues.get(db) ?? new Map<string, Promise<unknown>>()
  queues.set(db, waiting)
  const mine = (waiting.get(key) ?? Promise.resolve()).then(work, work)
  waiting.set(key, mine)
  try {
    return await mine
  } finally {
    if (waiting.get(key) === mine) waiting.delete(key)
  }
}
