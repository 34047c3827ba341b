const waiting = new Map<string, Promise<unknown>>()

/**
 * Does the work of one key one after the other in this process. It spares those who come at once from getting in
 * each other's way; what is right across processes is decided by unique keys alone.
 */
export async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = waiting.get(key) ?? Promise.resolve()
  const mine = before.then(work, work)
  waiting.set(key, mine)
  try {
    return await mine
  } finally {
    if (waiting.get(key) === mine) waiting.delete(key)
  }
}
