import { z } from 'zod'
import { audit } from '../audit.ts'
import { requireStrong } from '../auth/password-strength.ts'
import { hashPassword, Password } from '../auth/passwords.ts'
import { createUser } from '../auth/register.ts'
import { findUser, targetOf, userOf, type User } from '../auth/user.ts'
import type { Settings, Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { Email, personName } from '../fields.ts'

export const NewAdmin = z.object({ name: personName(100), email: Email, password: Password })
export type NewAdmin = z.infer<typeof NewAdmin>

export const Promotion = z.object({ email: Email })
export type Promotion = z.infer<typeof Promotion>

/**
 * Makes an administrator; for the operator's command line, which has the database anyway. Throws
 * WEAK_PASSWORD, EMAIL_TAKEN.
 */
export async function createAdmin(
  deps: Uses<'db' | 'now'> & { settings: Pick<Settings, 'appName'> },
  { name, email, password }: NewAdmin,
): Promise<User> {
  requireStrong(password, { name, email, appName: deps.settings.appName })
  const passwordHash = await hashPassword(password)
  const emailVerifiedAt = deps.now()
  const admin = { name, email, passwordHash, emailVerifiedAt, role: 'ADMIN' } as const
  const user = await createUser(deps, admin)
  await audit(deps, { actor: null, act: 'users.admin-created', target: targetOf(user._id) })
  return userOf(user)
}

/**
 * Makes an administrator of someone who is registered; their password stays. Throws NOT_FOUND,
 * CHANGED_MEANWHILE.
 */
export async function promoteToAdmin(
  deps: Uses<'db' | 'now'>,
  { email }: Promotion,
): Promise<User> {
  const user = await findUser(deps.db, { email })
  if (!user) throw new DomainError('NOT_FOUND')
  const promoted = await deps.db.orm.users
    .where({ _id: user._id, email })
    .update({ role: 'ADMIN', updatedAt: deps.now() })
  if (!promoted) throw new DomainError('CHANGED_MEANWHILE')
  await audit(deps, {
    actor: null,
    act: 'users.role-changed',
    target: targetOf(user._id),
    before: { role: user.role },
    after: { role: 'ADMIN' },
  })
  return userOf(promoted)
}
