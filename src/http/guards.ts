import type { Request, RequestHandler } from 'express'
import hpp from 'hpp'
import type { Deps, Settings } from '../deps.ts'
import { DomainError } from '../errors.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'OPTIONS']

/** Refuses with METHOD_NOT_SUPPORTED any method that no path here has. */
export const refuseOtherMethods: RequestHandler = (req, res, next) => {
  if (METHODS.includes(req.method)) {
    next()
    return
  }
  res.set('allow', METHODS.join(', '))
  throw new DomainError('METHOD_NOT_SUPPORTED')
}

// Node keeps the first of two, or joins them; what stands in front of us may have gone by the other.
const ONCE = ['host', 'content-type', 'content-length', 'content-encoding', 'transfer-encoding']

/**
 * Refuses with MALFORMED_REQUEST what says twice where it goes, what it is or where it ends, what names no host
 * (nothing in front of us knew whom it was for), and any coding of the transfer but chunks: nobody here would
 * undo it.
 */
export const refuseOddHeaders: RequestHandler = (req, _res, next) => {
  const names = req.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase())
  const isTwice = ONCE.some((once) => names.filter((name) => name === once).length > 1)
  const isHostless = !names.includes('host') && req.httpVersion !== '1.0'
  const coding = req.get('transfer-encoding')
  const isCoded = coding !== undefined && coding.trim().toLowerCase() !== 'chunked'
  if (isTwice || isHostless || isCoded) throw new DomainError('MALFORMED_REQUEST')
  next()
}

/** What CORS let pass was no preflight, or one from an origin that is told nothing. */
export const answerOptions: RequestHandler = (req, res, next) => {
  if (req.method === 'OPTIONS') res.set('allow', METHODS.join(', ')).sendStatus(204)
  else next()
}

const MOST_PARAMETERS = 20

/** Express' own getter parses the url anew at each reading, so hpp's clean-up would be lost without this. */
const keepQuery: RequestHandler = (req, _res, next) => {
  Object.defineProperty(req, 'query', {
    value: req.query,
    writable: true,
    configurable: true,
    enumerable: true,
  })
  next()
}

// What hpp sets aside is the decision. It cannot see `__proto__`, which it writes into a plain object, nor
// what Node's parser leaves out behind a thousand parameters or reads in another way than tRPC's does.
const refusePolluted: RequestHandler = (req, _res, next) => {
  const given = [...new URLSearchParams(req.url.replace(/^[^?]*/, '')).keys()]
  if (given.length > MOST_PARAMETERS) throw new DomainError('MALFORMED_REQUEST')
  const polluted: unknown = Reflect.get(req, 'queryPolluted')
  const isPolluted = Object.keys(Object(polluted) as object).length > 0
  if (isPolluted || given.filter((name) => name === '__proto__').length > 1)
    throw new DomainError('DUPLICATE_PARAMETER')
  if (new Set(given).size !== Object.keys(req.query).length)
    throw new DomainError('MALFORMED_REQUEST')
  next()
}

/**
 * Refuses parameters given more than once, which hpp finds, with DUPLICATE_PARAMETER: which of them was meant
 * cannot be known. More than twenty, or some that are read in two ways, are a MALFORMED_REQUEST.
 */
export const refuseDuplicates: RequestHandler[] = [keepQuery, hpp(), refusePolluted]

/**
 * Refuses a second session cookie with DUPLICATE_PARAMETER: it was put there by someone else, and which of
 * the two is first is theirs to choose.
 */
export const refuseDuplicateSessions =
  ({ sessions }: Pick<Deps, 'sessions'>): RequestHandler =>
  (req, _res, next) => {
    const names = (req.get('cookie') ?? '').split(';').map((pair) => pair.split('=', 1)[0]?.trim())
    if (names.filter((name) => name === sessions.sessionCookieName).length > 1)
      throw new DomainError('DUPLICATE_PARAMETER')
    next()
  }

/**
 * A browser sends the cookie along whoever wrote the page, so a change must come from an allowed origin, or
 * is refused with ORIGIN_REFUSED. What is no browser sends neither Origin nor Sec-Fetch-Site and says so by a
 * header no form can set.
 */
export const refuseForeignOrigins =
  ({ settings }: { settings: Pick<Settings, 'appUrl' | 'clientOrigins'> }): RequestHandler =>
  (req, _res, next) => {
    if (req.method !== 'GET' && req.method !== 'HEAD' && !isFromAllowedOrigin(req, settings)) {
      throw new DomainError('ORIGIN_REFUSED')
    }
    next()
  }

function isFromAllowedOrigin(
  req: Request,
  settings: Pick<Settings, 'appUrl' | 'clientOrigins'>,
): boolean {
  const origin = req.get('origin')
  if (origin !== undefined)
    return origin === settings.appUrl || settings.clientOrigins.includes(origin)
  const site = req.get('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin'
  return req.get('cookie') === undefined || req.get('x-trpc-source') !== undefined
}

/**
 * tRPC takes what follows the last slash for the procedure and answers some faults without a type. One path
 * per procedure, so that a rule in front of the server about /trpc/auth.login is one about auth.login; any
 * other is refused with NOT_FOUND or MALFORMED_REQUEST.
 */
export const refuseOddPaths: RequestHandler = (req, res, next) => {
  if (req.path.lastIndexOf('/') > 0) throw new DomainError('NOT_FOUND')
  if (req.path.includes('%'))
    throw new DomainError(isDecodable(req.path) ? 'NOT_FOUND' : 'MALFORMED_REQUEST')
  res.type('json')
  next()
}

function isDecodable(path: string): boolean {
  try {
    return decodeURIComponent(path) !== ''
  } catch {
    return false
  }
}
