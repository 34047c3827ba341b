import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Settles as the work does, or as `late` does once so many milliseconds are over: what that throws is thrown.
 * The work itself is not stopped, and what becomes of it then is nobody's any more.
 */
export async function withinTime<T, Late>(
  work: Promise<T>,
  milliseconds: number,
  late: () => Late,
): Promise<T | Late> {
  const waiting = new AbortController()
  const deadline = sleep(milliseconds, undefined, { signal: waiting.signal }).then(late)
  try {
    return await Promise.race([work, deadline])
  } finally {
    waiting.abort()
  }
}
