import { z } from 'zod'
import { audit } from '../audit.ts'
import { isDuplicateKey } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { Email, personName } from '../fields.ts'
import { putMail } from '../mail/outbox.ts'
import { rememberNetwork } from './attempt-limits.ts'
import { requireStrong } from './password-strength.ts'
import { hashPassword, Password } from './passwords.ts'
import { endSession, startSession } from './sessions.ts'
import { bucketKey, requireAttempt } from './throttle.ts'
import { targetOf, userOf, type User, type UserDocument } from './user.ts'
import type { Visit } from './visit.ts'

export const NewAccount = z.object({ name: personName(100), email: Email, password: Password })
export type NewAccount = z.infer<typeof NewAccount>

/**
 * Makes a STUDENT, signs them in and mails a link that confirms the address. The unique e-mail decides
 * between two who register it at once. Throws WEAK_PASSWORD, TOO_MANY_REQUESTS, EMAIL_TAKEN.
 */
export async function register(visit: Visit, { name, email, password }: NewAccount): Promise<User> {
  requireStrong(password, { name, email, appName: visit.settings.appName })
  const most = visit.settings.registrationsPerHour
  await requireAttempt(visit, { key: bucketKey('register', visit.network), most, seconds: 3600 })
  const passwordHash = await hashPassword(password)
  return openAccount(visit, { name, email, passwordHash })
}

/** Makes a STUDENT whose password is hashed already, and signs them in as `register` says. Throws EMAIL_TAKEN. */
export async function openAccount(
  visit: Visit,
  account: Pick<UserDocument, 'name' | 'email' | 'passwordHash'>,
): Promise<User> {
  const { email } = account
  const user = await createUser(visit, account)
  await putMail(visit, {
    key: `verify-email:${user._id}:first`,
    to: email,
    template: 'verify-email',
    data: {},
  })
  const { setCookie } = await startSession(visit, userOf(user), visit.device)
  if (visit.actor) await endSession(visit, visit.actor)
  visit.setCookie(setCookie)
  await rememberNetwork(visit, email)
  await audit(visit, {
    actor: { id: user._id, role: user.role },
    act: 'auth.registered',
    target: targetOf(user._id),
  })
  return userOf(user)
}

type NewUser = Pick<UserDocument, 'name' | 'email' | 'passwordHash'> &
  Partial<Pick<UserDocument, 'role' | 'emailVerifiedAt'>>

/** Stores a user, a STUDENT of an unconfirmed address unless told otherwise. Throws EMAIL_TAKEN. */
export async function createUser(
  { db, now }: Uses<'db' | 'now'>,
  user: NewUser,
): Promise<UserDocument> {
  const at = now()
  try {
    return await db.orm.users.create({
      role: 'STUDENT',
      emailVerifiedAt: null,
      disabledAt: null,
      deletedAt: null,
      avatarUrl: null,
      formerEmail: null,
      avatarMediaId: null,
      billing: null,
      createdAt: at,
      updatedAt: at,
      ...user,
    })
  } catch (error) {
    if (isDuplicateKey(error)) throw new DomainError('EMAIL_TAKEN')
    throw error
  }
}
