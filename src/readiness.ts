import { setTimeout as sleep } from 'node:timers/promises'
import type { Uses } from './deps.ts'
import { SECOND_MS } from './durations.ts'

const LOOK_MS = 5 * SECOND_MS
const LOOKS_AT_LEAST = 4

/**
 * Asks whether this process can serve, since the database answers; never rejects. Whoever asks while a
 * question is under way shares its answer: nothing limits how often /readyz is asked for.
 */
export function readiness({ db, log }: Uses<'db' | 'log'>): () => Promise<boolean> {
  let asking: Promise<boolean> | null = null
  const ask = async () => {
    try {
      await db.ping()
      return true
    } catch (error) {
      log.warn({ err: error }, 'the database does not answer')
      return false
    } finally {
      asking = null
    }
  }
  return () => (asking ??= ask())
}

/**
 * Asks again and again, and calls `onLost` once it has not been ready for so many seconds without a break; 0
 * asks nothing. Does not keep the process alive.
 */
export function watchReadiness(
  deps: Uses<'db' | 'log'>,
  seconds: number,
  onLost: () => void,
): void {
  if (seconds === 0) return
  const isReady = readiness(deps)
  const isLost = openPatience(seconds * SECOND_MS)
  const look = async () => {
    const every = Math.min(LOOK_MS, (seconds * SECOND_MS) / LOOKS_AT_LEAST)
    for (;;) {
      await sleep(every, undefined, { ref: false })
      if (isLost(await isReady(), performance.now())) onLost()
    }
  }
  void look()
}

/**
 * Told at each look whether it was ready, and when (in milliseconds of any clock), answers whether it has not
 * been for so long: from the first look that failed to this one, with none between that went well.
 */
export function openPatience(milliseconds: number): (isReady: boolean, at: number) => boolean {
  let lostAt: number | null = null
  return (isReady, at) => {
    lostAt = isReady ? null : (lostAt ?? at)
    return lostAt !== null && at - lostAt >= milliseconds
  }
}
