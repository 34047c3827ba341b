import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import type { Audited } from '../audit.ts'
import { hasSecondFactor } from '../auth/second-factor.ts'
import type { Actor } from '../auth/sessions.ts'
import { findUser, userOf, type User, type UserDocument } from '../auth/user.ts'
import { BillingProfile, type Billing } from '../billing.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { personName } from '../fields.ts'

export const ProfileChange = z.object({
  name: personName(100).optional(),
  /** What receipts are made out to; null removes it. */
  billing: BillingProfile.nullable().optional(),
})
export type ProfileChange = z.infer<typeof ProfileChange>

export type Account = User & { billing: Billing | null; secondFactor: boolean }

/** One's own account, with what no other may see of it. Throws UNAUTHENTICATED. */
export async function getAccount({ db }: Uses<'db'>, actor: Pick<Actor, 'id'>): Promise<Account> {
  const user = await findUser(db, { _id: actor.id })
  if (!user) throw new DomainError('UNAUTHENTICATED')
  return accountOf({ db }, user)
}

/** Who has to know of a billing profile that was given: the room of the invoices, which stands above this one. */
export type BillingGiven = (
  deps: Audited,
  actor: Pick<Actor, 'id' | 'role' | 'email'>,
  billing: Billing,
) => Promise<void>

/** Changes what is given of name and billing profile. Throws UNAUTHENTICATED. */
export async function updateAccount(
  deps: Audited,
  actor: Actor,
  { name, billing }: ProfileChange,
  billed: BillingGiven,
): Promise<Account> {
  const { db, now } = deps
  const updated = await db.orm.users
    .where({ _id: actor.id })
    .where(Field.isNull('deletedAt'))
    .update({
      ...(name !== undefined && { name }),
      ...(billing !== undefined && { billing }),
      updatedAt: now(),
    })
  if (!updated) throw new DomainError('UNAUTHENTICATED')
  if (billing) await billed(deps, actor, billing)
  return accountOf({ db }, updated)
}

async function accountOf({ db }: Uses<'db'>, user: UserDocument): Promise<Account> {
  const secondFactor = await hasSecondFactor({ db }, user._id)
  return { ...userOf(user), billing: billingOf(user), secondFactor }
}

/** What receipts are made out to, null where nothing was said. */
export function billingOf({ billing }: Pick<UserDocument, 'billing'>): Billing | null {
  if (!billing) return null
  const { name, state, gstin, address } = billing
  return { name, state, gstin: gstin ?? null, address: address ?? null }
}
