import type { IncomingMessage } from 'node:http'
import type { Request, Response } from 'express'
import { hasSecondFactor } from './auth/second-factor.ts'
import { findActor, type Actor, type SetCookie } from './auth/sessions.ts'
import type { Device } from './auth/session-store.ts'
import type { Deps } from './deps.ts'
import { DomainError } from './errors.ts'
import type { Caller } from './http/at-once.ts'
import { networkOf } from './http/network.ts'
import { nameActor, nameRefusal, type LoggedRefusal } from './log.ts'
import { translated } from './refusal.ts'

/** What a procedure may touch: the deps, who is asking, and where the answer's cookies go. */
export type Context = Deps & {
  actor: Actor | null
  /** Somebody signed in whose role needs a second factor they do not have yet: nobody, but to set one up. */
  enrolling: Actor | null
  requestId: string
  /** The client's address, or the /56 it is in for IPv6: what limits are counted by. */
  network: string
  device: Device
  setCookie: (cookie: SetCookie) => void
  /** Says in the request's line of the log what was refused of it. */
  nameRefusal: (refusal: LoggedRefusal) => void
  /** Tells the browser to forget all that it keeps of this server. */
  clearSiteData: () => void
  /** Seconds the client is asked to wait; answered as Retry-After. */
  retryAfter: (seconds: number) => void
}

/**
 * The context of a procedure. It is made outside of every middleware, so a refusal that it meets
 * (UNAVAILABLE, when the database is down) is thrown as tRPC's own error already.
 */
export async function contextOf(deps: Deps, req: Request, res: Response): Promise<Context> {
  const retryAfter = (seconds: number) => void res.set('retry-after', String(seconds))
  const network = networkOf(req.ip)
  try {
    return {
      ...deps,
      ...(await visitorOf(deps, req, res)),
      requestId: requestIdOf(req),
      network,
      device: { userAgent: req.get('user-agent')?.slice(0, 200) ?? null, network },
      setCookie: setCookieOn(res),
      nameRefusal: (refusal) => {
        nameRefusal(req, refusal)
      },
      clearSiteData: () => void res.set('clear-site-data', '"cache", "cookies", "storage"'),
      retryAfter,
    }
  } catch (error) {
    throw translated(error, retryAfter)
  }
}

/**
 * Whoever is at an Express door. Throws UNAUTHENTICATED for somebody who is not signed in, SECOND_FACTOR_NEEDED
 * for whoever has to set one up, and TOO_MANY_REQUESTS above the limit that calls of procedures are counted by.
 */
export async function requireActor(deps: Deps, req: Request, res: Response): Promise<Actor> {
  const actor = requireSignedIn(await visitorOf(deps, req, res))
  await deps.limitCalls.count({ account: actor.id, network: networkOf(req.ip) })
  return actor
}

/** The actor. Throws UNAUTHENTICATED, or SECOND_FACTOR_NEEDED for whoever has to set one up. */
export function requireSignedIn({ actor, enrolling }: Pick<Context, 'actor' | 'enrolling'>): Actor {
  if (actor) return actor
  throw new DomainError(enrolling ? 'SECOND_FACTOR_NEEDED' : 'UNAUTHENTICATED')
}

/** Who is asking, and whether their role lets them do more than set up a second factor. */
async function visitorOf(
  deps: Deps,
  req: Request,
  res: Response,
): Promise<Pick<Context, 'actor' | 'enrolling'>> {
  const actor = await actorOf(deps, req, res)
  const isGuarded = actor && deps.settings.secondFactorRoles.includes(actor.role)
  if (!isGuarded || (await hasSecondFactor(deps, actor.id))) return { actor, enrolling: null }
  return { actor: null, enrolling: actor }
}

/**
 * Whom limits count the request for. Where the database cannot say, nobody is signed in: the door that is
 * asked next says that it is away.
 */
export async function callerOf(deps: Deps, req: Request, res: Response): Promise<Caller> {
  const actor = await actorOf(deps, req, res).catch(() => null)
  return { account: actor?.id ?? null, network: networkOf(req.ip) }
}

const actors = new WeakMap<Request, Promise<Actor | null>>()

/** Who is asking, looked up once a request: what limits it asks first, and then its door. */
function actorOf(deps: Deps, req: Request, res: Response): Promise<Actor | null> {
  const actor = actors.get(req) ?? findActorOf(deps, req, res)
  actors.set(req, actor)
  return actor
}

/** By the session cookie alone, which is renewed where the session was extended. */
async function findActorOf(deps: Deps, req: Request, res: Response): Promise<Actor | null> {
  const token = sessionTokenOf(deps, req)
  if (token === null) return null
  const found = await findActor(deps, token)
  if (found?.renewed) setCookieOn(res)(found.renewed)
  if (found) nameActor(req, found.actor.id)
  return found?.actor ?? null
}

const setCookieOn = (res: Response) => (cookie: SetCookie) => void res.append('set-cookie', cookie)

/** The session cookie's value, or null: anything of another length was never ours. */
function sessionTokenOf({ sessions }: Pick<Deps, 'sessions'>, req: Request): string | null {
  const cookies: Record<string, unknown> = req.cookies
  const value = cookies[sessions.sessionCookieName]
  return typeof value === 'string' && /^[a-z0-9]{40}$/.test(value) ? value : null
}

/** The id that the answer and the log name the request by; '' before it has one. */
export function requestIdOf(req: IncomingMessage): string {
  return typeof req.id === 'string' ? req.id : ''
}
