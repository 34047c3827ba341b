// An account's address changes when both ends are proven: the new one by the link mailed to it, and the old one,
// where it was proven itself, by a link of its own. Until then nothing is taken: the unique address of accounts
// decides between a change and somebody who registers it meanwhile.
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import { isDuplicateKey, type Stored } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DAY_MS } from '../durations.ts'
import { DomainError, refuseInput } from '../errors.ts'
import { Email } from '../fields.ts'
import { putMail, type LinkMaker } from '../mail/outbox.ts'
import { issueToken, revokeTokens } from './email-tokens.ts'
import { GivenPassword } from './passwords.ts'
import type { Actor } from './sessions.ts'
import { requirePassword } from './step-up.ts'
import { bucketKey, requireAttempt } from './throttle.ts'
import { findUser, targetOf, type UserDocument } from './user.ts'

export const EmailChangeRequest = z.object({ email: Email, password: GivenPassword })
export type EmailChangeRequest = z.infer<typeof EmailChangeRequest>

export type EmailChangeDocument = Stored<'email_changes'>

/** A change of address under way, as its owner sees it. */
export type EmailChange = {
  email: string
  oldProven: boolean
  newProven: boolean
  expiresAt: Date
}

/**
 * Asks for another address, five times a day at most; an earlier wish is dropped. Throws WRONG_PASSWORD,
 * INVALID_INPUT for the address one has, EMAIL_TAKEN, TOO_MANY_REQUESTS.
 */
export async function requestEmailChange(
  deps: Audited,
  actor: Actor,
  { email, password }: EmailChangeRequest,
): Promise<EmailChange> {
  const user = await requirePassword(deps, actor, password)
  await requireAttempt(deps, { key: bucketKey('email-change', actor.id), most: 5, seconds: 86_400 })
  const change = await openEmailChange(deps, user, {
    email,
    needsOld: Boolean(user.emailVerifiedAt),
  })
  await audit(deps, { actor, act: 'auth.email-change-asked', target: targetOf(actor.id) })
  return emailChangeOf(change)
}

/**
 * Opens a change and writes to both ends. Without `needsOld` the old one is only told: nobody had proved it, or an
 * administrator answers for its owner. Throws INVALID_INPUT, EMAIL_TAKEN.
 */
export async function openEmailChange(
  deps: Uses<'db' | 'now'>,
  user: Pick<UserDocument, '_id' | 'email'>,
  { email, needsOld }: { email: string; needsOld: boolean },
): Promise<EmailChangeDocument> {
  const { _id: userId, email: oldEmail } = user
  if (email === oldEmail) refuseInput('email', 'is the address of the account already')
  if (await deps.db.orm.users.where({ email }).first()) throw new DomainError('EMAIL_TAKEN')
  await dropEmailChange(deps, userId)
  const at = deps.now()
  const key = randomBytes(16).toString('hex')
  const change = await createChange(deps, {
    userId,
    key,
    oldEmail,
    newEmail: email,
    oldProvenAt: needsOld ? null : at,
    newProvenAt: null,
    createdAt: at,
    expiresAt: new Date(at.getTime() + DAY_MS),
  })
  const data = { changeKey: key }
  await putMail(deps, {
    key: `new-address:${key}`,
    to: email,
    userId,
    template: 'confirm-new-address',
    data,
  })
  const told = { key: `old-address:${key}`, to: oldEmail }
  if (needsOld) await putMail(deps, { ...told, template: 'confirm-old-address', data })
  else
    await putMail(deps, {
      ...told,
      template: 'email-change-asked',
      data: { at: at.toISOString() },
    })
  return change
}

/** Two wishes at once are one too many: which was meant, nobody knows. */
async function createChange(
  { db }: Uses<'db'>,
  change: Omit<EmailChangeDocument, '_id'>,
): Promise<EmailChangeDocument> {
  try {
    return await db.orm.email_changes.create(change)
  } catch (error) {
    if (isDuplicateKey(error)) throw new DomainError('CHANGED_MEANWHILE')
    throw error
  }
}

/** The change of one's own address that is under way, or null. */
export async function findEmailChange(
  { db, now }: Uses<'db' | 'now'>,
  actor: Pick<Actor, 'id'>,
): Promise<EmailChange | null> {
  const change = await db.orm.email_changes.where({ userId: actor.id }).first()
  return change && change.expiresAt.getTime() > now().getTime() ? emailChangeOf(change) : null
}

/** Drops the change that is under way, if one is. */
export async function cancelEmailChange(deps: Uses<'db'>, actor: Pick<Actor, 'id'>): Promise<null> {
  await dropEmailChange(deps, actor.id)
  return null
}

/** The same for whoever has only the user's id. */
export async function dropEmailChange({ db }: Uses<'db'>, userId: string): Promise<void> {
  await db.orm.email_changes.where({ userId }).deleteAndCount()
  await revokeTokens({ db }, userId, 'NEW_ADDRESS', 'OLD_ADDRESS')
}

function emailChangeOf({ newEmail, oldProvenAt, newProvenAt, expiresAt }: EmailChangeDocument) {
  return {
    email: newEmail,
    oldProven: Boolean(oldProvenAt),
    newProven: Boolean(newProvenAt),
    expiresAt,
  }
}

/** The link to one end of a change; none where it was dropped meanwhile. */
export const changeLink =
  (purpose: 'NEW_ADDRESS' | 'OLD_ADDRESS'): LinkMaker =>
  async (deps, email, changeKey) => {
    const change = await deps.db.orm.email_changes.where({ key: changeKey }).first()
    if (!change) return null
    return { token: await issueToken(deps, { _id: change.userId, email }, purpose, changeKey) }
  }

/** The link by which the old address takes a change back; its change goes by the account it was of. */
export const undoLink: LinkMaker = async (deps, email, userId) => {
  const user = await findUser(deps.db, { _id: userId })
  if (!user || user.email === email) return null
  return { token: await issueToken(deps, { _id: userId, email }, 'UNDO_ADDRESS') }
}
