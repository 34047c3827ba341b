import { rateLimit } from 'express-rate-limit'
import type { RequestHandler } from 'express'
import type { Deps } from '../deps.ts'
import { MINUTE_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'
import { answerError } from './answers.ts'
import { networkOf } from './network.ts'

/**
 * Counts HTTP requests per network and minute, and refuses with TOO_MANY_REQUESTS what is above the
 * configured limit.
 */
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
