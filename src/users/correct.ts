// What an administrator puts right for somebody who cannot.
import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import { openEmailChange } from '../auth/email-change.ts'
import type { Actor } from '../auth/sessions.ts'
import { requireRecentPassword } from '../auth/step-up.ts'
import { targetOf } from '../auth/user.ts'
import { DomainError } from '../errors.ts'
import { Email, Id, personName } from '../fields.ts'
import { managedUserOf, requireUndeleted, type ManagedUser } from './manage.ts'

export const Renaming = z.object({ userId: Id, name: personName(100) })
export type Renaming = z.infer<typeof Renaming>

export const ManagedEmailChange = z.object({ userId: Id, email: Email })
export type ManagedEmailChange = z.infer<typeof ManagedEmailChange>

/** Gives a user another name. Throws PASSWORD_NEEDED, NOT_FOUND. */
export async function renameUser(
  deps: Audited,
  actor: Actor,
  { userId, name }: Renaming,
): Promise<ManagedUser> {
  requireRecentPassword(deps, actor)
  const renamed = await deps.db.orm.users
    .where({ _id: userId })
    .where(Field.isNull('deletedAt'))
    .update({ name, updatedAt: deps.now() })
  if (!renamed) throw new DomainError('NOT_FOUND')
  await audit(deps, { actor, act: 'users.renamed', target: targetOf(userId) })
  return managedUserOf(renamed)
}

/**
 * Opens a change of address for somebody whose mailbox is lost: the new one has to be proven as ever, and the old
 * one is told. An administrator's own is no other's to change. Throws PASSWORD_NEEDED, NOT_FOUND, FORBIDDEN,
 * INVALID_INPUT, EMAIL_TAKEN.
 */
export async function changeEmailOf(
  deps: Audited,
  actor: Actor,
  { userId, email }: ManagedEmailChange,
): Promise<null> {
  requireRecentPassword(deps, actor)
  const user = await requireUndeleted(deps, userId)
  if (user.role === 'ADMIN') throw new DomainError('FORBIDDEN')
  await openEmailChange(deps, user, { email, needsOld: false })
  await audit(deps, { actor, act: 'users.email-change-opened', target: targetOf(userId) })
  return null
}
