import { Lucia, TimeSpan } from 'lucia'
import type { Db } from '../db.ts'
import { sessionStore } from './session-store.ts'

const IDLE_DAYS = 14

export type Sessions = ReturnType<typeof openSessions>

type Needs = { db: Db; now: () => Date; isSecure: boolean }

/**
 * Lucia over our database: sessions end after 14 days unused, in a cookie that other subdomains cannot set.
 */
export function openSessions({ db, now, isSecure }: Needs) {
  return new Lucia(sessionStore(db, now), {
    sessionExpiresIn: new TimeSpan(IDLE_DAYS, 'd'),
    sessionCookie: {
      name: isSecure ? '__Host-session' : 'session',
      attributes: { secure: isSecure, sameSite: 'lax', path: '/' },
    },
    getSessionAttributes: (stored) => stored,
    getUserAttributes: (stored) => stored,
  })
}
