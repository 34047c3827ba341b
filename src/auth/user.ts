import { ObjectId } from 'mongodb'
import type { Db, Stored } from '../db.ts'

export type Role = 'STUDENT' | 'INSTRUCTOR' | 'ADMIN'

/** A user as clients see one. */
export type User = {
  id: string
  name: string
  email: string
  role: Role
  emailVerified: boolean
  avatarUrl: string | null
  createdAt: Date
}

/** A user as stored: for the server's own use, never an answer. */
export type UserDocument = Stored<'users'>

/** Of somebody who is signed in, what any client may know. */
export function publicUser(user: User): User {
  const { id, name, email, role, emailVerified, avatarUrl, createdAt } = user
  return { id, name, email, role, emailVerified, avatarUrl, createdAt }
}

/** A stored user as clients see one. */
export function userOf(document: UserDocument): User {
  const { _id: id, name, email, role, emailVerifiedAt, avatarUrl, createdAt } = document
  return {
    id,
    name,
    email,
    role,
    emailVerified: Boolean(emailVerifiedAt),
    avatarUrl: avatarUrl ?? null,
    createdAt,
  }
}

/** Someone who may use the product: whoever is disabled or deleted is as good as unknown. */
export async function findUser(
  db: Db,
  by: { _id: string } | { email: string },
): Promise<UserDocument | null> {
  const user = await db.orm.users.where(by).first()
  return user && !user.disabledAt && !user.deletedAt ? user : null
}

/**
 * The names of these users, by id. The catalogue waits for them at every page, so by the driver, two seconds
 * at most.
 */
export async function findNames(db: Db, userIds: string[]): Promise<Map<string, string>> {
  const ids = [...new Set(userIds)].map((id) => new ObjectId(id))
  if (ids.length === 0) return new Map()
  const users = await db.driver
    .collection<{ _id: ObjectId; name: string }>('users')
    .find({ _id: { $in: ids } }, { projection: { name: 1 }, maxTimeMS: 2_000 })
    .toArray()
  return new Map(users.map(({ _id, name }) => [_id.toHexString(), name]))
}

/** How the audit log names a user. */
export const targetOf = (userId: string): string => `user:${userId}`
