import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import type { Context } from '../context.ts'
import type { Uses } from '../deps.ts'
import { putMail, type LinkMaker } from '../mail/outbox.ts'
import { limitTokenAttempts } from './attempt-limits.ts'
import { confirmOwnership } from './email-ownership.ts'
import { consumeToken, GivenToken, issueToken, requireTokenOwner } from './email-tokens.ts'
import type { Actor } from './sessions.ts'
import { bucketKey, requireAttempt } from './throttle.ts'
import { findUser, targetOf } from './user.ts'

export const EmailProof = z.object({ token: GivenToken })
export type EmailProof = z.infer<typeof EmailProof>

/**
 * Confirms the address a link was mailed to. Works without being signed in: the owner often opens the mail on
 * another device. Throws TOKEN_INVALID, TOO_MANY_REQUESTS.
 */
export async function verifyEmail(
  deps: Audited & Pick<Context, 'actor'>,
  { token }: EmailProof,
): Promise<null> {
  const user = await limitTokenAttempts(deps, () => requireTokenOwner(deps, token, 'VERIFY_EMAIL'))
  await consumeToken(deps, token, 'VERIFY_EMAIL')
  await confirmOwnership(deps, user, deps.actor?.id === user._id ? 'in-session' : 'elsewhere')
  await audit(deps, {
    actor: { id: user._id, role: user.role },
    act: 'auth.email-verified',
    target: targetOf(user._id),
  })
  return null
}

/**
 * Mails another link, three an hour and six a day to one address, unless it is confirmed. Throws
 * TOO_MANY_REQUESTS.
 */
export async function resendVerification(deps: Uses<'db' | 'now'>, actor: Actor): Promise<null> {
  if (actor.emailVerified) return null
  await requireAttempt(deps, { key: bucketKey('verify', actor.id), most: 3, seconds: 3600 })
  await requireAttempt(deps, { key: bucketKey('verify', actor.email), most: 6, seconds: 86_400 })
  await putMail(deps, {
    key: `verify-email:${actor.id}:${deps.now().getTime()}`,
    to: actor.email,
    template: 'verify-email',
    data: {},
  })
  return null
}

/** The link that confirms an address; none where it is confirmed, or nobody's. */
export const verificationLink: LinkMaker = async (deps, email) => {
  const user = await findUser(deps.db, { email })
  if (!user || user.emailVerifiedAt) return null
  return { token: await issueToken(deps, user, 'VERIFY_EMAIL') }
}

/** The link to a new password; none where the address is nobody's. */
export const resetLink: LinkMaker = async (deps, email) => {
  const user = await findUser(deps.db, { email })
  return user && { token: await issueToken(deps, user, 'RESET_PASSWORD') }
}
