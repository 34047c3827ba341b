import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { hasSecondFactor } from '../auth/second-factor.ts'
import type { Actor } from '../auth/sessions.ts'
import { findUser, userOf, type User, type UserDocument } from '../auth/user.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { line, personName } from '../fields.ts'

const BillingProfile = z.object({
  name: personName(120),
  state: line(2, 60),
  gstin: z
    .string()
    .trim()
    .toUpperCase()
    .regex(/^\d{2}[A-Z]{5}\d{4}[A-Z][A-Z\d]Z[A-Z\d]$/, 'is not a GSTIN')
    .nullish(),
  address: line(1, 300).nullish(),
})
type BillingProfile = z.infer<typeof BillingProfile>

export const ProfileChange = z.object({
  name: personName(100).optional(),
  /** What receipts are made out to; null removes it. */
  billing: BillingProfile.nullable().optional(),
})
export type ProfileChange = z.infer<typeof ProfileChange>

export type Billing = {
  name: string
  state: string
  gstin: string | null
  address: string | null
}

export type Account = User & { billing: Billing | null; secondFactor: boolean }

/** One's own account, with what no other may see of it. Throws UNAUTHENTICATED. */
export async function getAccount({ db }: Uses<'db'>, actor: Pick<Actor, 'id'>): Promise<Account> {
  const user = await findUser(db, { _id: actor.id })
  if (!user) throw new DomainError('UNAUTHENTICATED')
  return accountOf({ db }, user)
}

/** Changes what is given of name and billing profile. Throws UNAUTHENTICATED. */
export async function updateAccount(
  { db, now }: Uses<'db' | 'now'>,
  actor: Pick<Actor, 'id'>,
  { name, billing }: ProfileChange,
): Promise<Account> {
  const updated = await db.orm.users
    .where({ _id: actor.id })
    .where(Field.isNull('deletedAt'))
    .update({
      ...(name !== undefined && { name }),
      ...(billing !== undefined && { billing: billing && storedBilling(billing) }),
      updatedAt: now(),
    })
  if (!updated) throw new DomainError('UNAUTHENTICATED')
  return accountOf({ db }, updated)
}

async function accountOf({ db }: Uses<'db'>, user: UserDocument): Promise<Account> {
  const secondFactor = await hasSecondFactor({ db }, user._id)
  return { ...userOf(user), billing: billingOf(user), secondFactor }
}

/** What receipts are made out to, null where nothing was said. */
export function billingOf({ billing }: Pick<UserDocument, 'billing'>): Billing | null {
  return billing ? storedBilling(billing) : null
}

function storedBilling({ name, state, gstin, address }: BillingProfile): Billing {
  return { name, state, gstin: gstin ?? null, address: address ?? null }
}
