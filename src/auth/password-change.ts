import { z } from 'zod'
import { audit } from '../audit.ts'
import { DomainError } from '../errors.ts'
import { Email } from '../fields.ts'
import { putMail } from '../mail/outbox.ts'
import { consumeToken, dropTokens, GivenToken, requireTokenOwner } from './email-tokens.ts'
import { forgetGuesses, guessingToken } from './attempt-limits.ts'
import { takePossession } from './email-ownership.ts'
import { GivenPassword, hashPassword, Password, requireStrong } from './passwords.ts'
import { endSessionsOf, startSession, type Actor } from './sessions.ts'
import { requirePassword } from './step-up.ts'
import { bucketOf, count, take } from './throttle.ts'
import { nameForMail, targetOf, type UserDocument } from './user.ts'
import type { Visit } from './visit.ts'

export const PasswordChange = z.object({ current: GivenPassword, next: Password })
export type PasswordChange = z.infer<typeof PasswordChange>

export const ResetRequest = z.object({ email: Email })
export type ResetRequest = z.infer<typeof ResetRequest>

export const PasswordReset = z.object({ token: GivenToken, password: Password })
export type PasswordReset = z.infer<typeof PasswordReset>

/** Ends every session, this one's id included, and goes on under a new one. */
export async function changePassword(
  visit: Visit,
  actor: Actor,
  { current, next }: PasswordChange,
): Promise<null> {
  const user = await requirePassword(visit, actor, current)
  requireStrong(next, { ...user, field: 'next' })
  await replaceHash(visit, user, next)
  const { setCookie } = await startSession(visit, actor.id, visit.device)
  visit.setCookie(setCookie)
  await audit(visit, { actor, act: 'auth.password-changed', target: targetOf(actor.id) })
  return null
}

/** Says the same and does the same for an unknown address: whether there is an account, the outbox finds out. */
export async function requestPasswordReset(visit: Visit, { email }: ResetRequest): Promise<null> {
  await take(visit, { key: bucketOf('reset', visit.network), most: 30, seconds: 3600 })
  // Silent, because refusing here would tell a stranger that someone else has asked for it. Shorter by half than a
  // link is valid: whoever asks in vain has one in the mailbox that still works, so nobody can ask it away.
  const wait = await count(visit, { key: bucketOf('reset', email), most: 3, seconds: 15 * 60 })
  const at = visit.now().getTime()
  if (wait === null)
    await putMail(visit, {
      key: `${bucketOf('reset-password', email)}:${at}`,
      to: email,
      template: 'reset-password',
      data: {},
    })
  return null
}

/** The link works once and ends every session. What is refused before leaves it usable. */
export async function resetPassword(
  visit: Visit,
  { token, password }: PasswordReset,
): Promise<null> {
  const user = await guessingToken(visit, async () => {
    const owner = await requireTokenOwner(visit, token, 'RESET_PASSWORD')
    requireStrong(password, owner)
    return owner
  })
  await consumeToken(visit, token, 'RESET_PASSWORD')
  await replaceHash(visit, user, password)
  await takePossession(visit, user)
  await forgetGuesses(visit, user.email)
  await audit(visit, { actor: null, act: 'auth.password-reset', target: targetOf(user._id) })
  return null
}

// First the hash, then the sessions: a sign-in with the old password that began before looks once more after
// it has made its session, so it either finds the new hash or its session is among those that end here.
async function replaceHash(visit: Visit, user: UserDocument, password: string): Promise<void> {
  const { db, now } = visit
  const passwordHash = await hashPassword(password)
  const at = now()
  const changed = await db.orm.users
    .where({ _id: user._id, passwordHash: user.passwordHash })
    .update({ passwordHash, updatedAt: at })
  if (!changed) throw new DomainError('CHANGED_MEANWHILE')
  await endSessionsOf(visit, user._id)
  await dropTokens(visit, user._id, 'RESET_PASSWORD')
  await putMail(visit, {
    key: `password-changed:${user._id}:${at.getTime()}`,
    to: user.email,
    template: 'password-changed',
    data: { ...nameForMail(user), at: at.toISOString() },
  })
}
