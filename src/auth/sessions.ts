// The cookie holds a random 200-bit id, the database only its SHA-256, so that a stolen backup signs nobody
// in. A session ends when it was unused for long, and a while after the sign-in whatever happens: sooner for
// administrators (session-rules.ts). Sign-in and every proof of the password make a new id (fixation, and
// whoever copied the old one); sign-out, disabling and a change of password delete rows.
import { generateIdFromEntropySize } from 'lucia'
import { ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'
import { MINUTE_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'
import type { Db } from '../db.ts'
import { ruleFor } from '../session-rules.ts'
import { hashOfToken, type Device } from './session-store.ts'
import type { User } from './user.ts'

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

/**
 * Starts a session under a new id and answers the cookie that carries it. Ends the oldest of those the account
 * then has too many of.
 */
export async function startSession(
  { db, sessions, now, settings }: Uses<'db' | 'sessions' | 'now' | 'settings'>,
  { id: userId, role }: Pick<User, 'id' | 'role'>,
  device: Device,
): Promise<{ sessionId: string; setCookie: SetCookie }> {
  const at = now()
  const token = generateIdFromEntropySize(25)
  const sessionId = new ObjectId().toHexString()
  const { most, absoluteMs } = ruleFor(settings.sessions, role)
  const absoluteExpiresAt = new Date(at.getTime() + absoluteMs)
  const attributes = {
    publicId: sessionId,
    createdAt: at,
    lastUsedAt: at,
    passwordAt: at,
    absoluteExpiresAt,
    device,
  }
  await sessions.createSession(userId, attributes, { sessionId: token })
  await endOldest(db, userId, most)
  return { sessionId, setCookie: sessions.createSessionCookie(token).serialize() }
}

// After its own is written, each of many who sign in at once ends what is too much of what it sees, oldest
// first: whoever looks last sees all, and nobody ends one of the newest.
async function endOldest(db: Db, userId: string, most: number): Promise<void> {
  const sessions = db.driver.collection('sessions')
  const oldest = await sessions
    .find({ userId: new ObjectId(userId) }, { projection: { _id: 1 } })
    .sort({ createdAt: -1, _id: -1 })
    .skip(most)
    .toArray()
  if (oldest.length > 0) await sessions.deleteMany({ _id: { $in: oldest.map(({ _id }) => _id) } })
}

/**
 * Notes that the session has proved the password, and gives it a new id: whoever copied the old one is signed
 * in no more. Null when another tab did both at the same moment, whose answer carries the cookie. Throws
 * UNAUTHENTICATED when the session was ended meanwhile.
 */
export async function renewSession(
  { db, sessions, now }: Uses<'db' | 'sessions' | 'now'>,
  { sessionId, passwordAt }: Pick<Actor, 'sessionId' | 'passwordAt'>,
): Promise<SetCookie | null> {
  const token = generateIdFromEntropySize(25)
  const renewed = await db.orm.sessions
    .where({ _id: sessionId, passwordAt })
    .update({ tokenHash: hashOfToken(token), passwordAt: now() })
  if (renewed) return sessions.createSessionCookie(token).serialize()
  if (!(await db.orm.sessions.where({ _id: sessionId }).first()))
    throw new DomainError('UNAUTHENTICATED')
  return null
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
