import type { IncomingMessage } from 'node:http'
import type { Request, Response } from 'express'
import { findActor, type Actor, type SetCookie } from './auth/sessions.ts'
import type { Device } from './auth/session-store.ts'
import type { Deps } from './deps.ts'
import { networkOf } from './http/network.ts'

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

/** Finds who is asking, from the session cookie alone. */
export async function contextOf(deps: Deps, req: Request, res: Response): Promise<Context> {
  const setCookie = (cookie: SetCookie) => void res.append('set-cookie', cookie)
  const found = await actorOf(deps, req)
  if (found?.renewed) setCookie(found.renewed)
  const network = networkOf(req.ip)
  return {
    ...deps,
    actor: found?.actor ?? null,
    requestId: requestIdOf(req),
    network,
    device: { userAgent: req.get('user-agent')?.slice(0, 200) ?? null, network },
    setCookie,
    retryAfter: (seconds) => void res.set('retry-after', String(seconds)),
  }
}

function actorOf(deps: Deps, req: Request) {
  const token = sessionTokenOf(deps, req)
  return token === null ? null : findActor(deps, token)
}

/** The session cookie's value, or null: anything of another length was never ours. */
function sessionTokenOf({ sessions }: Pick<Deps, 'sessions'>, req: Request): string | null {
  const cookies: Record<string, unknown> = req.cookies
  const value = cookies[sessions.sessionCookieName]
  return typeof value === 'string' && /^[a-z0-9]{40}$/.test(value) ? value : null
}

export function requestIdOf(req: IncomingMessage): string {
  return typeof req.id === 'string' ? req.id : ''
}
