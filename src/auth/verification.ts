import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import type { Uses } from '../deps.ts'
import { putMail, type LinkMaker } from '../mail/outbox.ts'
import { consumeToken, GivenToken, mintToken, requireTokenOwner } from './email-tokens.ts'
import { guessingToken } from './attempt-limits.ts'
import { takePossession } from './email-ownership.ts'
import type { Actor } from './sessions.ts'
import { bucketOf, take } from './throttle.ts'
import { findUser, nameForMail, targetOf } from './user.ts'

export const EmailProof = z.object({ token: GivenToken })
export type EmailProof = z.infer<typeof EmailProof>

/** Works without being signed in: the mail is often opened on another device. */
export async function verifyEmail(ctx: Audited, { token }: EmailProof): Promise<null> {
  const user = await guessingToken(ctx, () => requireTokenOwner(ctx, token, 'VERIFY_EMAIL'))
  await consumeToken(ctx, token, 'VERIFY_EMAIL')
  await takePossession(ctx, user)
  await audit(ctx, {
    actor: { id: user._id, role: user.role },
    act: 'auth.email-verified',
    target: targetOf(user._id),
  })
  return null
}

export async function resendVerification(deps: Uses<'db' | 'now'>, actor: Actor): Promise<null> {
  if (actor.emailVerified) return null
  await take(deps, { key: bucketOf('verify', actor.id), most: 3, seconds: 3600 })
  await putMail(deps, {
    key: `verify-email:${actor.id}:${deps.now().getTime()}`,
    to: actor.email,
    template: 'verify-email',
    data: {},
  })
  return null
}

export const verificationLink: LinkMaker = async (deps, email) => {
  const user = await findUser(deps.db, { email })
  if (!user || user.emailVerifiedAt) return null
  return { token: await mintToken(deps, user, 'VERIFY_EMAIL') }
}

export const resetLink: LinkMaker = async (deps, email) => {
  const user = await findUser(deps.db, { email })
  return user && { ...nameForMail(user), token: await mintToken(deps, user, 'RESET_PASSWORD') }
}
