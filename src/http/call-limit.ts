import { MINUTE_MS, SECOND_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'

/**
 * Counts a call of whoever the key stands for, an account's id or a network; above the limit it rejects with
 * TOO_MANY_REQUESTS. This sheds load and is per process; what guards a secret is counted in MongoDB
 * (auth/throttle).
 */
export type CallLimiter = { count: (key: string) => Promise<void> }

/** A limiter of so many calls of one key a minute, by the wall clock. */
export function openCallLimiter(limit: number): CallLimiter {
  let counts = new Map<string, number>()
  let endsAt = 0
  const count = (key: string): void => {
    const now = Date.now()
    if (now >= endsAt) {
      counts = new Map()
      endsAt = now + MINUTE_MS
    }
    const calls = (counts.get(key) ?? 0) + 1
    counts.set(key, calls)
    if (calls <= limit) return
    const retryAfterSeconds = Math.max(1, Math.ceil((endsAt - now) / SECOND_MS))
    throw new DomainError('TOO_MANY_REQUESTS', { retryAfterSeconds })
  }
  return { count: (key) => Promise.resolve(key).then(count) }
}
