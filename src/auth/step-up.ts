import { z } from 'zod'
import type { Audited } from '../audit.ts'
import type { Context } from '../context.ts'
import type { Uses } from '../deps.ts'
import { MINUTE_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'
import { limitAttempts } from './attempt-limits.ts'
import { GivenPassword, isPassword } from './passwords.ts'
import { auditRarely } from './rare-audit.ts'
import { renewSession, type Actor } from './sessions.ts'
import { findUser, targetOf, type UserDocument } from './user.ts'

const RECENT_MS = 10 * MINUTE_MS

export const PasswordConfirmation = z.object({ password: GivenPassword })
export type PasswordConfirmation = z.infer<typeof PasswordConfirmation>

/**
 * Refuses unless this session has proved the password in the last 10 minutes, by sign-in or confirmation.
 * Throws PASSWORD_NEEDED.
 */
export function requireRecentPassword(
  { now }: Uses<'now'>,
  actor: Pick<Actor, 'passwordAt'>,
): void {
  if (now().getTime() - actor.passwordAt.getTime() > RECENT_MS)
    throw new DomainError('PASSWORD_NEEDED')
}

/**
 * Checks the password of someone who is signed in, under the same limits as a sign-in, and answers their
 * account. Throws WRONG_PASSWORD, TOO_MANY_REQUESTS.
 */
export async function requirePassword(
  deps: Audited,
  actor: Actor,
  password: string,
): Promise<UserDocument> {
  return limitAttempts(deps, { of: 'password', email: actor.email }, async () => {
    const user = await findUser(deps.db, { _id: actor.id })
    const isRight = await isPassword(user?.passwordHash ?? null, password)
    if (user && isRight) return user
    const target = targetOf(actor.id)
    await auditRarely(deps, { actor, act: 'auth.password-refused', target }, [
      { of: [target], most: 60, seconds: 3_600 },
    ])
    throw new DomainError('WRONG_PASSWORD')
  })
}

/**
 * Proves the password again, for what needs it to be recent, and goes on under a new session id. Throws
 * WRONG_PASSWORD, TOO_MANY_REQUESTS.
 */
export async function confirmPassword(
  deps: Audited & Uses<'sessions'> & Pick<Context, 'setCookie'>,
  actor: Actor,
  { password }: PasswordConfirmation,
): Promise<null> {
  await requirePassword(deps, actor, password)
  const cookie = await renewSession(deps, actor)
  if (cookie !== null) deps.setCookie(cookie)
  return null
}
