import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import { audit, type Audited } from '../audit.ts'
import { isDuplicateKey } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { keepMailsOf, putMail } from '../mail/outbox.ts'
import { limitTokenAttempts, rememberNetwork } from './attempt-limits.ts'
import { dropEmailChange, type EmailChangeDocument } from './email-change.ts'
import { requireToken, revokeTokens } from './email-tokens.ts'
import { NO_PASSWORD } from './passwords.ts'
import { endSessionsOf, startSession } from './sessions.ts'
import { findUser, targetOf, type UserDocument } from './user.ts'
import type { EmailProof } from './verification.ts'
import type { Visit } from './visit.ts'

/** Which end has still to be confirmed, or that the address is the new one now. */
export type EmailChangeStep = { status: 'OLD_NEEDED' | 'NEW_NEEDED' | 'CHANGED' }

/**
 * Confirms one end of a change, signed in or not; with the other end the address changes and every session ends.
 * Whoever is signed in as its owner goes on under a new one. The link works until then, so a change that was cut
 * off is finished by following it again. Throws TOKEN_INVALID, EMAIL_TAKEN, CHANGED_MEANWHILE,
 * TOO_MANY_REQUESTS.
 */
export async function confirmEmailChange(
  visit: Visit,
  { token }: EmailProof,
): Promise<EmailChangeStep> {
  const { change, user } = await limitTokenAttempts(visit, () => requireChange(visit, token))
  if (!change.oldProvenAt) return { status: 'OLD_NEEDED' }
  if (!change.newProvenAt) return { status: 'NEW_NEEDED' }
  await moveAccount(visit, user, change)
  await finishChange(visit, change)
  if (visit.actor?.id === user._id) {
    const { setCookie } = await startSession(visit, visit.actor, visit.device)
    visit.setCookie(setCookie)
    await rememberNetwork(visit, change.newEmail)
  }
  return { status: 'CHANGED' }
}

async function requireChange(
  deps: Uses<'db' | 'now'>,
  given: string,
): Promise<{ change: EmailChangeDocument; user: UserDocument }> {
  const token = await requireToken(deps, given, ['NEW_ADDRESS', 'OLD_ADDRESS'])
  const proof =
    token.purpose === 'NEW_ADDRESS' ? { newProvenAt: deps.now() } : { oldProvenAt: deps.now() }
  const change = await deps.db.orm.email_changes
    .where({ key: token.changeKey ?? '' })
    .where(Field.gt('expiresAt', deps.now()))
    .update(proof)
  const user = change && (await findUser(deps.db, { _id: change.userId }))
  const isTheirs = user && [change.oldEmail, change.newEmail].includes(user.email)
  if (!isTheirs) throw new DomainError('TOKEN_INVALID')
  return { change, user }
}

/** The one write that decides; it may have been made by whoever was cut off after it. */
async function moveAccount(
  { db, now }: Uses<'db' | 'now'>,
  user: UserDocument,
  { oldEmail, newEmail }: EmailChangeDocument,
): Promise<void> {
  if (user.email === newEmail) return
  const at = now()
  const moved = await takeAddress(() =>
    db.orm.users
      .where({ _id: user._id, email: oldEmail })
      .where(Field.isNull('deletedAt'))
      .update({ email: newEmail, emailVerifiedAt: at, updatedAt: at }),
  )
  if (moved) return
  const current = await findUser(db, { _id: user._id })
  if (current?.email !== newEmail) throw new DomainError('CHANGED_MEANWHILE')
}

async function takeAddress<T>(write: () => PromiseLike<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (isDuplicateKey(error)) throw new DomainError('EMAIL_TAKEN')
    throw error
  }
}

// As after a change of the password: sessions and links of the account as it was count for nothing.
async function finishChange(
  deps: Audited & Uses<'sessions'>,
  { userId, key, oldEmail }: EmailChangeDocument,
): Promise<void> {
  await endSessionsOf(deps, userId)
  await revokeTokens(deps, userId, 'RESET_PASSWORD', 'VERIFY_EMAIL')
  await putMail(deps, {
    key: `email-changed:${key}`,
    to: oldEmail,
    template: 'email-changed',
    data: { changeKey: userId },
  })
  await keepMailsOf(deps, { to: oldEmail, userId })
  await audit(deps, { actor: null, act: 'auth.email-changed', target: targetOf(userId) })
  await dropEmailChange(deps, userId)
}

/**
 * Gives the account back to an address it had within a week, by the link mailed there when it changed. Whoever
 * changed it knew the password, so that opens nothing any more, and a link to a new one is mailed. Throws
 * TOKEN_INVALID, EMAIL_TAKEN, CHANGED_MEANWHILE, TOO_MANY_REQUESTS.
 */
export async function undoEmailChange(
  deps: Audited & Uses<'sessions'>,
  { token }: EmailProof,
): Promise<null> {
  const { userId, email } = await limitTokenAttempts(deps, () =>
    requireToken(deps, token, ['UNDO_ADDRESS']),
  )
  const user = await findUser(deps.db, { _id: userId })
  if (!user) throw new DomainError('TOKEN_INVALID')
  const at = deps.now()
  const back = { email, emailVerifiedAt: at, passwordHash: NO_PASSWORD, updatedAt: at }
  const moved = await takeAddress(() =>
    deps.db.orm.users
      .where({ _id: userId, email: user.email })
      .where(Field.isNull('deletedAt'))
      .update(back),
  )
  if (!moved) throw new DomainError('CHANGED_MEANWHILE')
  await endSessionsOf(deps, userId)
  await dropEmailChange(deps, userId)
  await putMail(deps, {
    key: `reset-password:${userId}:${at.getTime()}`,
    to: email,
    template: 'reset-password',
    data: {},
  })
  await audit(deps, { actor: null, act: 'auth.email-change-undone', target: targetOf(userId) })
  await revokeTokens(deps, userId, 'RESET_PASSWORD', 'VERIFY_EMAIL', 'UNDO_ADDRESS')
  return null
}
