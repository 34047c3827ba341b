import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import { ObjectId } from 'mongodb'
import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import type { Context } from '../context.ts'
import { NO_PASSWORD, GivenPassword } from '../auth/passwords.ts'
import { endSession, endSessionsOf, type Actor } from '../auth/sessions.ts'
import { requirePassword, requireRecentPassword } from '../auth/step-up.ts'
import { targetOf, type UserDocument } from '../auth/user.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import type { Job } from '../jobs.ts'
import { keepingAnAdmin } from './admins.ts'

export const AccountDeletion = z.object({ password: GivenPassword })
export type AccountDeletion = z.infer<typeof AccountDeletion>

/** The name of whoever has left, wherever their name was shown. */
const DELETED_NAME = 'Deleted user'

const RESUMED_FOR_MS = 2 * 24 * 60 * 60_000

/**
 * Makes the account nobody's. Orders, payments, refunds and invoices stay, as the law wants them, with the id
 * of someone who no longer has a name here (but see `clearInvoices`). One write decides; what follows can be repeated, and is by a job.
 */
export async function deleteAccount(
  deps: Audited & Uses<'sessions'> & Pick<Context, 'setCookie'>,
  actor: Actor,
  { password }: AccountDeletion,
): Promise<null> {
  requireRecentPassword(deps, actor)
  const user = await requirePassword(deps, actor, password)
  await refusePublishers(deps, actor)
  await anonymise(deps, user)
  await removeTraces(deps, user)
  await deps.db.orm.outbox_mails.where({ to: user.email }).deleteAndCount()
  deps.setCookie(await endSession(deps, actor))
  await audit(deps, { actor, act: 'account.deleted', target: targetOf(actor.id) })
  return null
}

async function refusePublishers({ db }: Uses<'db'>, actor: Actor): Promise<void> {
  const published = await db.orm.courses.where({ ownerId: actor.id, status: 'PUBLISHED' }).first()
  if (published) throw new DomainError('HAS_PUBLISHED_COURSES')
}

/** Name, sign-in and role go in one write, or none of them does: also when the last administrator may not go. */
async function anonymise({ db, now }: Uses<'db' | 'now'>, user: UserDocument): Promise<void> {
  const at = now()
  const { _id, role, email, name, passwordHash } = user
  const { emailVerifiedAt, avatarUrl, avatarMediaId, billing, updatedAt } = user
  const before = { role, email, name, passwordHash, emailVerifiedAt, avatarUrl, avatarMediaId }
  await keepingAnAdmin({ db }, user, {
    change: () =>
      db.orm.users
        .where({ _id, role, passwordHash })
        .where(Field.isNull('deletedAt'))
        .update({
          role: 'STUDENT',
          email: `deleted-${_id}@invalid`,
          name: DELETED_NAME,
          passwordHash: NO_PASSWORD,
          emailVerifiedAt: null,
          avatarUrl: null,
          avatarMediaId: null,
          billing: null,
          deletedAt: at,
          updatedAt: at,
        }),
    undo: () =>
      db.orm.users
        .where({ _id, deletedAt: at })
        .update({ ...before, billing, updatedAt, deletedAt: null }),
  })
}

async function removeTraces(
  deps: Uses<'db' | 'sessions' | 'now'>,
  { _id: userId }: Pick<UserDocument, '_id'>,
): Promise<void> {
  const { orm } = deps.db
  await endSessionsOf(deps, userId)
  await orm.email_tokens.where({ userId }).deleteAndCount()
  await orm.totps.where({ userId }).deleteAndCount()
  // Only marked: the media sweep removes the picture itself.
  await orm.media
    .where({ ownerId: userId, purpose: 'avatar' })
    .where(Field.neq('state', 'REMOVED'))
    .updateAndCount({ state: 'REMOVED', updatedAt: deps.now() })
  await orm.lesson_progress.where({ userId }).deleteAndCount()
  await orm.quiz_attempts.where({ userId }).deleteAndCount()
  await orm.certificates
    .where({ userId })
    .where(Field.isNull('revokedAt'))
    .updateAndCount({ revokedAt: deps.now(), reason: 'The holder has deleted their account.' })
  await orm.certificates.where({ userId }).updateAndCount({ holderName: DELETED_NAME })
  await clearInvoices(deps, userId)
}

/**
 * The law wants the invoice. Whom it was made out to it wants only where a GSTIN is on it: a business then claims
 * the tax, and is named in the returns of both.
 */
async function clearInvoices({ db }: Uses<'db'>, userId: string): Promise<void> {
  const invoices = db.driver.collection('invoices')
  const whose = { userId: new ObjectId(userId) }
  await invoices.updateMany(whose, { $set: { 'body.buyer.email': '' } })
  await invoices.updateMany(
    { ...whose, 'body.buyer.gstin': null },
    { $set: { 'body.buyer.name': DELETED_NAME, 'body.buyer.address': null } },
  )
}

/** Finishes what a process began that died in the middle of a deletion. */
export const finishDeletions: Job = {
  name: 'finish-deletions',
  everySeconds: 3600,
  run: async (deps) => {
    const since = new Date(deps.now().getTime() - RESUMED_FOR_MS)
    const recent = await deps.db.orm.users
      .where(Field.gte('deletedAt', since))
      .select('_id')
      .limit(1000)
      .all()
    for (const { _id } of recent) await removeTraces(deps, { _id })
  },
}
