import { rateLimit } from 'express-rate-limit'
import type { RequestHandler } from 'express'
import type { Deps } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { answerError } from './answers.ts'
import { networkOf } from './network.ts'

const MINUTE_MS = 60_000

// These shed load and are per process; what guards a secret is counted in MongoDB (auth/throttle).
export type CallLimiter = { count: (key: string) => Promise<void> }

/** Counts single procedure calls per minute and refuses those above the limit. */
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
    const retryAfterSeconds = Math.max(1, Math.ceil((endsAt - now) / 1000))
    throw new DomainError('TOO_MANY_REQUESTS', { retryAfterSeconds })
  }
  return { count: (key) => Promise.resolve(key).then(count) }
}

/** Counts HTTP requests per network and minute. */
export function limitRequests({ settings }: Pick<Deps, 'settings'>): RequestHandler {
  return rateLimit({
    windowMs: MINUTE_MS,
    limit: settings.requestsPerMinute,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: ({ ip }) => networkOf(ip),
    // It would write to the console, once, about headers that strangers send and we mean to ignore.
    validate: false,
    handler: (_req, res) => {
      answerError(res, new DomainError('TOO_MANY_REQUESTS'))
    },
  })
}
