import { rateLimit, type Options } from 'express-rate-limit'
import type { Request, RequestHandler, Response } from 'express'
import type { Deps } from '../deps.ts'
import { nameRefusal } from '../log.ts'
import { MINUTE_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'
import { answerError } from './answers.ts'
import { callerKey, type Caller } from './at-once.ts'
import { networkOf } from './network.ts'

/**
 * Counts HTTP requests per network and minute, whoever they come from, before anything is read. Wide: a
 * campus, or a mobile carrier, is one network. Refuses with TOO_MANY_REQUESTS.
 */
export function limitNetworks({ settings }: Pick<Deps, 'settings'>): RequestHandler {
  return limiter({
    limit: settings.networkRequestsPerMinute,
    keyGenerator: ({ ip }) => networkOf(ip),
  })
}

/**
 * Counts HTTP requests per account and minute, and of those who are not signed in per network. `callerOf`
 * says who it is; a session that is not valid makes nobody an account, or each forged cookie would have a
 * limit of its own. Refuses with TOO_MANY_REQUESTS.
 */
export function limitCallers(
  { settings }: Pick<Deps, 'settings'>,
  callerOf: (req: Request, res: Response) => Promise<Caller>,
): RequestHandler {
  return limiter({
    limit: settings.requestsPerMinute,
    keyGenerator: async (req, res) => callerKey(await callerOf(req, res)),
  })
}

function limiter(options: Pick<Options, 'limit' | 'keyGenerator'>): RequestHandler {
  return rateLimit({
    ...options,
    windowMs: MINUTE_MS,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    // It would write to the console, once, about headers that strangers send and we mean to ignore.
    validate: false,
    handler: (req, res) => {
      nameRefusal(req, { reason: 'TOO_MANY_REQUESTS' })
      answerError(res, new DomainError('TOO_MANY_REQUESTS'))
    },
  })
}
