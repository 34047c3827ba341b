import type { IncomingMessage } from 'node:http'
import type { Request, Response } from 'express'
import { findActor, type Actor, type SetCookie } from './auth/sessions.ts'
import type { Device } from './auth/session-store.ts'
import type { Deps } from './deps.ts'
import { DomainError } from './errors.ts'
import type { Caller } from './http/at-once.ts'
import { networkOf } from './http/network.ts'
import { translated } from './refusal.ts'

/** What a procedure may touch: the deps, who is asking, and where the answer's cookies go. */
export type Context = Deps & {
  actor: Actor | null
  requestId: string
  /** The client's address, or the /56 it is in for IPv6: what limits are counted by. */
  network: string
  device: Device
  setCookie: (cookie: SetCookie) => void
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
      actor: await actorOf(deps, req, res),
      requestId: requestIdOf(req),
      network,
      device: { userAgent: req.get('user-agent')?.slice(0, 200) ?? null, network },
      setCookie: setCookieOn(res),
      retryAfter,
    }
  } catch (error) {
    throw translated(error, retryAfter)
  }
}

/**
 * Whoever is at an Express door. Throws UNAUTHENTICATED for somebody who is not signed in, and
 * TOO_MANY_REQUESTS above the limit that calls of procedures are counted by.
 */
export async function requireActor(deps: Deps, req: Request, res: Response): Promise<Actor> {
  const actor = await actorOf(deps, req, res)
  if (!actor) throw new DomainError('UNAUTHENTICATED')
  await deps.limitCalls.count({ account: actor.id, network: networkOf(req.ip) })
  return actor
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
