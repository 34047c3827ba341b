import { MongoFieldFilter as Field, MongoOrExpr } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import { endSessionsOf, type Actor } from '../auth/sessions.ts'
import { requireRecentPassword } from '../auth/step-up.ts'
import { targetOf, userOf, type Role, type User, type UserDocument } from '../auth/user.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { foldedPattern } from '../fold.ts'
import { Id, line, orNamed, Page, type PageOf } from '../fields.ts'
import { searchedAddress } from '../email-address.ts'
import { readPage } from '../paging.ts'
import { literally } from '../text.ts'
import { guardLastAdmin } from './admins.ts'

const ROLES = ['STUDENT', 'INSTRUCTOR', 'ADMIN'] as const satisfies Role[]

/** A user as administrators see one. */
export type ManagedUser = User & { disabledAt: Date | null; deletedAt: Date | null }

export const UserSearch = Page.extend({
  /** A part of the name or the address, or all of either. */
  q: line(1, 254).optional(),
  role: z.enum(ROLES).optional(),
}).prefault({})
export type UserSearch = z.infer<typeof UserSearch>

export const UserChoice = orNamed(z.object({ userId: Id }), 'userId', 'id')
export type UserChoice = z.infer<typeof UserChoice>

export const RoleChange = orNamed(z.object({ userId: Id, role: z.enum(ROLES) }), 'userId', 'id')
export type RoleChange = z.infer<typeof RoleChange>

/**
 * Users newest first, by a part of name or address, and by role. Throws INVALID_INPUT for a cursor that is
 * none.
 */
export async function listUsers(
  { db }: Uses<'db'>,
  { q, role, cursor, limit }: UserSearch,
): Promise<PageOf<ManagedUser>> {
  let query = db.orm.users.where(Field.gte('createdAt', new Date(0)))
  if (role !== undefined) query = query.where({ role })
  if (q !== undefined) query = query.where(matchesText(q))
  const { items, nextCursor } = await readPage(query, { cursor, limit })
  return { items: items.map(managedUserOf), nextCursor }
}

function matchesText(text: string): MongoOrExpr {
  const has = (part: string) => `(?i)${literally(part)}`
  return MongoOrExpr.of([
    Field.of('name', '$regex', has(text)),
    Field.of('name', '$regex', `(?i)${foldedPattern(text)}`),
    Field.of('email', '$regex', has(searchedAddress(text))),
  ])
}

/** Any user, also one who is disabled or has left. Throws NOT_FOUND. */
export async function getUser({ db }: Uses<'db'>, { userId }: UserChoice): Promise<ManagedUser> {
  return managedUserOf(await requireUser({ db }, userId))
}

/**
 * Gives a user another role, from their next request on: it is read with every session. Throws
 * PASSWORD_NEEDED, NOT_FOUND, LAST_ADMIN, CHANGED_MEANWHILE.
 */
export async function setRole(
  deps: Audited,
  actor: Actor,
  { userId, role }: RoleChange,
): Promise<ManagedUser> {
  requireRecentPassword(deps, actor)
  const user = await requireUndeleted(deps, userId)
  if (user.role === role) return managedUserOf(user)
  const users = deps.db.orm.users
  const updatedAt = deps.now()
  const changed = await guardLastAdmin(deps, user, {
    change: () =>
      users
        .where({ _id: userId, role: user.role })
        .where(Field.isNull('deletedAt'))
        .update({ role, updatedAt }),
    undo: () => users.where({ _id: userId, role }).update({ role: user.role }),
  })
  await audit(deps, {
    actor,
    act: 'users.role-changed',
    target: targetOf(userId),
    before: { role: user.role },
    after: { role },
  })
  return managedUserOf(changed)
}

/**
 * Shuts a user out and ends their sessions, which also count for nothing while the mark is there. Throws
 * PASSWORD_NEEDED, NOT_FOUND, LAST_ADMIN, CHANGED_MEANWHILE.
 */
export async function disableUser(
  deps: Audited & Uses<'sessions'>,
  actor: Actor,
  { userId }: UserChoice,
): Promise<ManagedUser> {
  requireRecentPassword(deps, actor)
  const user = await requireUndeleted(deps, userId)
  if (user.disabledAt) return managedUserOf(user)
  const users = deps.db.orm.users
  const at = deps.now()
  const changed = await guardLastAdmin(deps, user, {
    change: () =>
      users
        .where({ _id: userId, role: user.role })
        .where(Field.isNull('disabledAt'))
        .where(Field.isNull('deletedAt'))
        .update({ disabledAt: at, updatedAt: at }),
    undo: () => users.where({ _id: userId, disabledAt: at }).update({ disabledAt: null }),
  })
  await endSessionsOf(deps, userId)
  await audit(deps, { actor, act: 'users.disabled', target: targetOf(userId) })
  return managedUserOf(changed)
}

/** Lets a user in again; they sign in anew. Throws PASSWORD_NEEDED, NOT_FOUND. */
export async function enableUser(
  deps: Audited,
  actor: Actor,
  { userId }: UserChoice,
): Promise<ManagedUser> {
  requireRecentPassword(deps, actor)
  const user = await requireUndeleted(deps, userId)
  if (!user.disabledAt) return managedUserOf(user)
  const enabled = await deps.db.orm.users
    .where({ _id: userId })
    .update({ disabledAt: null, updatedAt: deps.now() })
  await audit(deps, { actor, act: 'users.enabled', target: targetOf(userId) })
  return managedUserOf(enabled ?? user)
}

async function requireUser({ db }: Uses<'db'>, userId: string): Promise<UserDocument> {
  const user = await db.orm.users.where({ _id: userId }).first()
  if (!user) throw new DomainError('NOT_FOUND')
  return user
}

/** A user who has not left. Throws NOT_FOUND. */
export async function requireUndeleted(deps: Uses<'db'>, userId: string): Promise<UserDocument> {
  const user = await requireUser(deps, userId)
  if (user.deletedAt) throw new DomainError('NOT_FOUND')
  return user
}

/** A stored user as administrators see one. */
export function managedUserOf(user: UserDocument): ManagedUser {
  const { disabledAt, deletedAt } = user
  return { ...userOf(user), disabledAt: disabledAt ?? null, deletedAt: deletedAt ?? null }
}
