import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import type { Context } from '../context.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { Email } from '../fields.ts'
import { putMail } from '../mail/outbox.ts'
import { clearPasswordAttempts, limitTokenAttempts, rememberNetwork } from './attempt-limits.ts'
import { dropEmailChange } from './email-change.ts'
import { confirmOwnership } from './email-ownership.ts'
import { tellOfFactor } from './factor-mails.ts'
import { consumeToken, GivenToken, requireTokenOwner, revokeTokens } from './email-tokens.ts'
import { requireStrong } from './password-strength.ts'
import { GivenPassword, hashPassword, Password } from './passwords.ts'
import { endSessionsOf, startSession, type Actor } from './sessions.ts'
import { requirePassword } from './step-up.ts'
import { bucketKey, countAttempt, requireAttempt } from './throttle.ts'
import { targetOf, type UserDocument } from './user.ts'
import type { Visit } from './visit.ts'

export const PasswordChange = z.object({ current: GivenPassword, next: Password })
export type PasswordChange = z.infer<typeof PasswordChange>

export const ResetRequest = z.object({ email: Email })
export type ResetRequest = z.infer<typeof ResetRequest>

export const PasswordReset = z.object({ token: GivenToken, password: Password })
export type PasswordReset = z.infer<typeof PasswordReset>

/**
 * Ends every session, this one's id included, and goes on under a new one. Throws WRONG_PASSWORD,
 * WEAK_PASSWORD, TOO_MANY_REQUESTS, CHANGED_MEANWHILE.
 */
export async function changePassword(
  deps: Omit<Visit, 'actor'>,
  actor: Actor,
  { current, next }: PasswordChange,
): Promise<null> {
  const user = await requirePassword(deps, actor, current)
  requireStrong(next, { ...user, appName: deps.settings.appName, field: 'next' })
  await replaceHash(deps, user, next)
  const { setCookie } = await startSession(deps, actor, deps.device)
  deps.setCookie(setCookie)
  await audit(deps, { actor, act: 'auth.password-changed', target: targetOf(actor.id) })
  return null
}

/**
 * Mails a link to a new password. Says the same and does the same for an unknown address: whether there is an
 * account, the outbox finds out. Throws TOO_MANY_REQUESTS after 30 an hour from one network.
 */
export async function requestPasswordReset(
  deps: Uses<'db' | 'now'> & Pick<Context, 'network'>,
  { email }: ResetRequest,
): Promise<null> {
  await requireAttempt(deps, { key: bucketKey('reset', deps.network), most: 30, seconds: 3600 })
  // Silent, because refusing here would tell a stranger that someone else has asked for it. Shorter by half
  // than a link is valid: a stranger who asks for it in vain leaves the owner one that still works, and
  // cannot ask it away.
  const at = deps.now().getTime()
  if (await mayMailReset(deps, email))
    await putMail(deps, {
      key: `${bucketKey('reset-password', email)}:${at}`,
      to: email,
      template: 'reset-password',
      data: {},
    })
  return null
}

/**
 * Three links in 15 minutes, and after ten in a day one in 25: no mailbox is flooded, and whoever is mailed none
 * has one that still works.
 */
async function mayMailReset(deps: Uses<'db' | 'now'>, email: string): Promise<boolean> {
  const limitOf = (pace: string, most: number, minutes: number) => ({
    key: bucketKey(pace, email),
    most,
    seconds: minutes * 60,
  })
  if ((await countAttempt(deps, limitOf('reset', 3, 15))) !== null) return false
  if ((await countAttempt(deps, limitOf('reset-day', 10, 24 * 60))) === null) return true
  return (await countAttempt(deps, limitOf('reset-slow', 1, 25))) === null
}

/**
 * The link works once, ends every session and confirms the address; it takes away a second factor that was made
 * before anybody had confirmed it, and says so. What is refused before leaves the link usable.
 * Throws TOKEN_INVALID, WEAK_PASSWORD, TOO_MANY_REQUESTS, CHANGED_MEANWHILE.
 */
export async function resetPassword(
  deps: Audited & Uses<'sessions' | 'settings'>,
  { token, password }: PasswordReset,
): Promise<{ secondFactorRemoved: true } | null> {
  const user = await limitTokenAttempts(deps, async () => {
    const owner = await requireTokenOwner(deps, token, 'RESET_PASSWORD')
    requireStrong(password, { ...owner, appName: deps.settings.appName })
    return owner
  })
  await consumeToken(deps, token, 'RESET_PASSWORD')
  await replaceHash(deps, user, password)
  const isFactorTaken = await confirmOwnership(deps, user, 'new-password')
  await clearPasswordAttempts(deps, user.email)
  await rememberNetwork(deps, user.email)
  const target = targetOf(user._id)
  await audit(deps, { actor: null, act: 'auth.password-reset', target })
  if (!isFactorTaken) return null
  await audit(deps, { actor: null, act: 'auth.totp-taken', target })
  const owner = { id: user._id, email: user.email, emailVerified: true }
  await tellOfFactor(deps, owner, 'taken-by-new-password')
  return { secondFactorRemoved: true }
}

// First the hash, then the sessions: a sign-in with the old password that began before looks once more after
// it has made its session, so it either finds the new hash or its session is among those that end here.
async function replaceHash(
  deps: Uses<'db' | 'now' | 'sessions'>,
  user: UserDocument,
  password: string,
): Promise<void> {
  const passwordHash = await hashPassword(password)
  const at = deps.now()
  const changed = await deps.db.orm.users
    .where({ _id: user._id, passwordHash: user.passwordHash })
    .update({ passwordHash, updatedAt: at })
  if (!changed) throw new DomainError('CHANGED_MEANWHILE')
  await endSessionsOf(deps, user._id)
  await revokeTokens(deps, user._id, 'RESET_PASSWORD')
  // Whoever chooses a new password because a change of address was not theirs means to stop it.
  await dropEmailChange(deps, user._id)
  await putMail(deps, {
    key: `password-changed:${user._id}:${at.getTime()}`,
    to: user.email,
    template: 'password-changed',
    data: { at: at.toISOString() },
  })
}
