import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import type { Context } from '../context.ts'
import { GivenPassword, NO_PASSWORD } from '../auth/passwords.ts'
import { endSession, type Actor } from '../auth/sessions.ts'
import { requirePassword, requireRecentPassword } from '../auth/step-up.ts'
import { targetOf, type UserDocument } from '../auth/user.ts'
import type { Uses } from '../deps.ts'
import { DAY_MS } from '../durations.ts'
import type { Job } from '../jobs.ts'
import type { PersonalData } from '../personal-data.ts'
import { guardLastAdmin } from './admins.ts'

export const AccountDeletion = z.object({ password: GivenPassword })
export type AccountDeletion = z.infer<typeof AccountDeletion>

/** The name of whoever has left, wherever their name was shown. */
const PSEUDONYM = 'Deleted user'

const ACT = 'account.deleted'

const RESUMED_FOR_MS = 2 * DAY_MS
const PER_RUN = 1_000

type Rooms = readonly PersonalData[]

/**
 * Makes the account nobody's and ends its sessions. Orders, payments, refunds and invoices stay, as the law
 * wants them, with the id of someone who no longer has a name here (but see invoices/personal-data.ts). One
 * write decides; what follows it can be repeated, and is by `finishDeletions`. Throws PASSWORD_NEEDED,
 * WRONG_PASSWORD, TOO_MANY_REQUESTS, HAS_PUBLISHED_COURSES, LAST_ADMIN, CHANGED_MEANWHILE.
 */
export async function deleteAccount(
  deps: Audited & Uses<'sessions'> & Pick<Context, 'setCookie' | 'clearSiteData'>,
  actor: Actor,
  { password }: AccountDeletion,
  rooms: Rooms,
): Promise<null> {
  requireRecentPassword(deps, actor)
  const user = await requirePassword(deps, actor, password)
  for (const room of rooms) await room.requireDeletable?.(deps, actor.id)
  const leaver = await anonymise(deps, user)
  await audit(deps, { actor, act: ACT, target: targetOf(actor.id) })
  await erase(deps, leaver, rooms)
  deps.clearSiteData()
  deps.setCookie(await endSession(deps, actor))
  return null
}

/**
 * Name, sign-in and role go in one write, or none of them does: also when the last administrator may not go.
 */
function anonymise({ db, now }: Uses<'db' | 'now'>, user: UserDocument): Promise<UserDocument> {
  const at = now()
  const { _id, role, email, name, passwordHash } = user
  const { emailVerifiedAt, avatarUrl, avatarMediaId, billing, updatedAt } = user
  const before = { role, email, name, passwordHash, emailVerifiedAt, avatarUrl, avatarMediaId }
  return guardLastAdmin({ db }, user, {
    change: () =>
      db.orm.users
        .where({ _id, role, passwordHash })
        .where(Field.isNull('deletedAt'))
        .update({
          role: 'STUDENT',
          email: `deleted-${_id}@invalid`,
          // What waits to be erased under the address has to be found by whoever goes on after a crash.
          formerEmail: email,
          name: PSEUDONYM,
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
        .update({ ...before, billing, updatedAt, formerEmail: null, deletedAt: null }),
  })
}

type Leaver = Pick<UserDocument, '_id' | 'formerEmail' | 'deletedAt'>

/**
 * Lets every room erase, and then forgets the address: as long as it is there, something may be left to do.
 */
async function erase(
  deps: Uses<'db' | 'now' | 'sessions'>,
  { _id: userId, formerEmail, deletedAt }: Leaver,
  rooms: Rooms,
): Promise<void> {
  const leaver = {
    userId,
    formerEmail: formerEmail ?? null,
    deletedAt: deletedAt ?? deps.now(),
    pseudonym: PSEUDONYM,
  }
  for (const room of rooms) await room.erase?.(deps, leaver)
  if (leaver.formerEmail === null) return
  await deps.db.orm.users
    .where({ _id: userId })
    .where(Field.isNotNull('deletedAt'))
    .update({ formerEmail: null })
}

/**
 * Finishes what a process began that died in the middle of a deletion, and erases for two days what requests
 * that were under way at that moment have left behind.
 */
export const finishDeletions = (rooms: Rooms): Job => ({
  name: 'finish-deletions',
  everySeconds: 3600,
  run: async (deps, stopping) => {
    const since = new Date(deps.now().getTime() - RESUMED_FOR_MS)
    const leavers = await deps.db.orm.users
      .where(Field.gte('deletedAt', since))
      .select('_id', 'formerEmail', 'deletedAt')
      .limit(PER_RUN)
      .all()
    for (const leaver of leavers) {
      if (stopping.aborted) return
      if (leaver.formerEmail) await auditOnce(deps, leaver._id)
      await erase(deps, leaver, rooms)
    }
  },
})

/**
 * Whoever died may have written the entry. If not, who asked is known by the target, and from where is lost.
 */
async function auditOnce(deps: Uses<'db' | 'now'>, userId: string): Promise<void> {
  const target = targetOf(userId)
  if (await deps.db.orm.audit_entries.where({ target, act: ACT }).first()) return
  await audit(deps, { actor: null, act: ACT, target })
}
