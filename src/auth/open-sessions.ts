import { Lucia, TimeSpan } from 'lucia'
import type { Db } from '../db.ts'
import { SESSIONS, sessionRulesOf, type SessionRules } from '../session-rules.ts'
import { z } from 'zod'
import { sessionStore } from './session-store.ts'

export type Sessions = ReturnType<typeof openSessions>

type Needs = { db: Db; now: () => Date; isSecure: boolean; rules?: SessionRules }

const UNTOLD = sessionRulesOf(z.object(SESSIONS).parse({}), false)

/** Lucia over our database: sessions end by these rules, in a cookie that other subdomains cannot set. */
export function openSessions({ db, now, isSecure, rules = UNTOLD }: Needs) {
  return new Lucia(sessionStore(db, now, rules), {
    sessionExpiresIn: new TimeSpan(rules.everyone.idleMs, 'ms'),
    sessionCookie: {
      name: isSecure ? '__Host-session' : 'session',
      attributes: { secure: isSecure, sameSite: 'lax', path: '/' },
    },
    getSessionAttributes: (stored) => stored,
    getUserAttributes: (stored) => stored,
  })
}
