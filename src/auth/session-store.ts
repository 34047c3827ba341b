import { createHash } from 'node:crypto'
import type { Adapter, DatabaseSession, DatabaseUser } from 'lucia'
import type { ObjectId } from 'mongodb'
import type { Db } from '../db.ts'
import { ruleFor, type SessionRule, type SessionRules } from '../session-rules.ts'
import type { Role, User } from './user.ts'

/** Where and with what a session was made; shown to its user. */
export type Device = { userAgent: string | null; network: string | null }

/** `publicId` for lists and revocation; the secret is the cookie's, of which only a hash is stored. */
export type StoredSession = {
  publicId: string
  createdAt: Date
  lastUsedAt: Date
  passwordAt: Date
  absoluteExpiresAt: Date
  device: Device
}

export type StoredUser = Omit<User, 'id'>

/** What is stored of a random token: it has 200 bits, so nothing slower than SHA-256 is needed. */
export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/**
 * Lucia's port on our models. Lucia reads the wall clock itself; dates cross this border shifted by the
 * difference to the injected clock (nothing, in production), so that one clock rules every expiry.
 */
export function sessionStore(db: Db, now: () => Date, rules: SessionRules): Adapter {
  const toWall = (date: Date) => new Date(date.getTime() - now().getTime() + Date.now())
  const fromWall = (date: Date) => new Date(date.getTime() + now().getTime() - Date.now())
  return {
    async getSessionAndUser(token): Promise<[DatabaseSession | null, DatabaseUser | null]> {
      const found = await findSessionAndUser(db, hashOfToken(token))
      if (!found) return [null, null]
      const { session, user } = found
      const isOver = endOf(session, user && ruleFor(rules, user.attributes.role)) <= now().getTime()
      const expiresAt = isOver ? new Date(0) : toWall(session.expiresAt)
      return [{ id: token, userId: session.userId, expiresAt, attributes: session }, user]
    },
    getUserSessions: () => Promise.reject(new Error('sessions are listed by their public ids')),
    async setSession({ id, userId, expiresAt, attributes }) {
      await db.orm.sessions.create({
        _id: attributes.publicId,
        tokenHash: hashOfToken(id),
        userId,
        createdAt: attributes.createdAt,
        lastUsedAt: attributes.lastUsedAt,
        passwordAt: attributes.passwordAt,
        expiresAt: fromWall(expiresAt),
        absoluteExpiresAt: attributes.absoluteExpiresAt,
        userAgent: attributes.device.userAgent,
        network: attributes.device.network,
      })
    },
    async updateSessionExpiration(token, expiresAt) {
      await db.orm.sessions
        .where({ tokenHash: hashOfToken(token) })
        .update({ expiresAt: fromWall(expiresAt) })
    },
    async deleteSession(token) {
      await db.orm.sessions.where({ tokenHash: hashOfToken(token) }).deleteAndCount()
    },
    async deleteUserSessions(userId) {
      await db.orm.sessions.where({ userId }).deleteAndCount()
    },
    async deleteExpiredSessions() {
      await db.driver.collection('sessions').deleteMany({ expiresAt: { $lte: now() } })
    },
  }
}

/** When it ends: by what was written when it began, or sooner by the rule for the role its user has now. */
function endOf(session: StoredSession & { expiresAt: Date }, rule: SessionRule | null): number {
  const ends = [session.expiresAt.getTime(), session.absoluteExpiresAt.getTime()]
  if (!rule) return Math.min(...ends)
  const unused = session.lastUsedAt.getTime() + rule.idleMs
  return Math.min(...ends, unused, session.createdAt.getTime() + rule.absoluteMs)
}

type SessionRow = {
  _id: ObjectId
  userId: ObjectId
  createdAt: Date
  lastUsedAt: Date
  passwordAt: Date
  expiresAt: Date
  absoluteExpiresAt: Date
  userAgent?: string | null
  network?: string | null
  user: [] | [UserRow]
}

type UserRow = {
  _id: ObjectId
  name: string
  email: string
  role: Role
  emailVerifiedAt?: Date | null
  disabledAt?: Date | null
  deletedAt?: Date | null
  avatarUrl?: string | null
  createdAt: Date
}

// Every signed-in request begins here, so session and user come in one round trip, within two seconds, by the
// driver and not decoded field by field. A disabled or deleted user reads as no user, which ends the session
// at once.
async function findSessionAndUser(db: Db, tokenHash: string) {
  const [row] = await db.driver
    .collection('sessions')
    .aggregate<SessionRow>(
      [
        { $match: { tokenHash } },
        { $lookup: { from: 'users', localField: 'userId', foreignField: '_id', as: 'user' } },
      ],
      { maxTimeMS: 2_000 },
    )
    .toArray()
  if (!row) return null
  const [user] = row.user
  const isActive = user && !user.disabledAt && !user.deletedAt
  return { session: storedSession(row), user: isActive ? storedUser(user) : null }
}

function storedSession(row: SessionRow): StoredSession & { userId: string; expiresAt: Date } {
  return {
    publicId: row._id.toHexString(),
    userId: row.userId.toHexString(),
    createdAt: row.createdAt,
    lastUsedAt: row.lastUsedAt,
    passwordAt: row.passwordAt,
    expiresAt: row.expiresAt,
    absoluteExpiresAt: row.absoluteExpiresAt,
    device: { userAgent: row.userAgent ?? null, network: row.network ?? null },
  }
}

function storedUser(row: UserRow): DatabaseUser {
  return {
    id: row._id.toHexString(),
    attributes: {
      name: row.name,
      email: row.email,
      role: row.role,
      emailVerified: Boolean(row.emailVerifiedAt),
      avatarUrl: row.avatarUrl ?? null,
      createdAt: row.createdAt,
    },
  }
}
