import { MINUTE_MS, SECOND_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'
import { callerKey, type Caller } from './at-once.ts'

/**
 * Counts a call of this caller; above their limit, or that of their network, it rejects with
 * TOO_MANY_REQUESTS. This sheds load and is per process; what guards a secret is counted in MongoDB
 * (auth/throttle).
 */
export type CallLimiter = { count: (caller: Caller) => Promise<void> }

type Limits = {
  /** Of one account, or of those of one network who are not signed in. */
  ofCaller: number
  /** Of one network, whoever they are. */
  ofNetwork: number
}

/** A limiter of so many calls a minute, by the wall clock. */
export function openCallLimiter({ ofCaller, ofNetwork }: Limits): CallLimiter {
  let counts = new Map<string, number>()
  let endsAt = 0
  const count = (key: string, most: number): void => {
    const now = Date.now()
    if (now >= endsAt) {
      counts = new Map()
      endsAt = now + MINUTE_MS
    }
    const calls = (counts.get(key) ?? 0) + 1
    counts.set(key, calls)
    if (calls <= most) return
    const retryAfterSeconds = Math.max(1, Math.ceil((endsAt - now) / SECOND_MS))
    throw new DomainError('TOO_MANY_REQUESTS', { retryAfterSeconds })
  }
  return {
    count: async (caller) => {
      await Promise.resolve()
      // What an account is refused for uses up nothing of its network's.
      count(callerKey(caller), ofCaller)
      count(`all of ${caller.network}`, ofNetwork)
    },
  }
}
