// The cookie holds a random 200-bit id, the database only its SHA-256, so that a stolen backup signs nobody
// in. A session ends after 14 days unused, and 90 days after the sign-in whatever happens. Sign-in always
// makes a new id (fixation); sign-out, disabling and a change of password delete rows.
import { generateIdFromEntropySize } from 'lucia'
import { ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'
import { DAY_MS, MINUTE_MS } from '../durations.ts'
import type { Device } from './session-store.ts'
import type { User } from './user.ts'

const ABSOLUTE_DAYS = 90

/** Whoever is signed in. `passwordAt` is when this session last proved the password. */
export type Actor = User & { sessionId: string; passwordAt: Date }

/** A Set-Cookie value for the response. */
export type SetCookie = string

/**
 * Who holds this cookie value, null when it is nobody's any more, and a cookie to renew when the session was
 * extended. Last use is noted to within 5 minutes.
 */
export async function findActor(
  { sessions, db, now }: Uses<'sessions' | 'db' | 'now'>,
  token: string,
): Promise<{ actor: Actor; renewed: SetCookie | null } | null> {
  const { session, user } = await sessions.validateSession(token)
  if (!session) return null
  if (now().getTime() - session.lastUsedAt.getTime() > 5 * MINUTE_MS) {
    await db.orm.sessions.where({ _id: session.publicId }).update({ lastUsedAt: now() })
  }
  const { id, name, email, role, emailVerified, avatarUrl, createdAt } = user
  const { publicId: sessionId, passwordAt } = session
  const renewed = session.fresh ? sessions.createSessionCookie(token).serialize() : null
  return {
    actor: { id, name, email, role, emailVerified, avatarUrl, createdAt, sessionId, passwordAt },
    renewed,
  }
}

/** Starts a session under a new id and answers the cookie that carries it. */
export async function startSession(
  { sessions, now }: Uses<'sessions' | 'now'>,
  userId: string,
  device: Device,
): Promise<{ sessionId: string; setCookie: SetCookie }> {
  const at = now()
  const token = generateIdFromEntropySize(25)
  const sessionId = new ObjectId().toHexString()
  const absoluteExpiresAt = new Date(at.getTime() + ABSOLUTE_DAYS * DAY_MS)
  const attributes = {
    publicId: sessionId,
    createdAt: at,
    lastUsedAt: at,
    passwordAt: at,
    absoluteExpiresAt,
    device,
  }
  await sessions.createSession(userId, attributes, { sessionId: token })
  return { sessionId, setCookie: sessions.createSessionCookie(token).serialize() }
}

/** Ends this session and answers the cookie that clears the browser's. */
export async function endSession(
  { db, sessions }: Uses<'db' | 'sessions'>,
  actor: Pick<Actor, 'sessionId'>,
): Promise<SetCookie> {
  await db.orm.sessions.where({ _id: actor.sessionId }).deleteAndCount()
  return sessions.createBlankSessionCookie().serialize()
}

/** Ends every session of a user, now. */
export async function endSessionsOf({ sessions }: Uses<'sessions'>, userId: string): Promise<void> {
  await sessions.invalidateUserSessions(userId)
}
