// A token is 200 random bits, mailed once and stored as a SHA-256. It is made when its mail is sent, so that
// it lies nowhere in plain, and asking for it takes a stranger as long for an unknown address as for a known
// one.
import { generateIdFromEntropySize } from 'lucia'
import type { Stored } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DAY_MS, MINUTE_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'
import { exactly } from '../fields.ts'
import { hashOfToken } from './session-store.ts'
import { findUser, type UserDocument } from './user.ts'

export type TokenPurpose =
  'VERIFY_EMAIL' | 'RESET_PASSWORD' | 'NEW_ADDRESS' | 'OLD_ADDRESS' | 'UNDO_ADDRESS'

const VALID_FOR_MS: Record<TokenPurpose, number> = {
  VERIFY_EMAIL: DAY_MS,
  RESET_PASSWORD: 30 * MINUTE_MS,
  NEW_ADDRESS: DAY_MS,
  OLD_ADDRESS: DAY_MS,
  UNDO_ADDRESS: 7 * DAY_MS,
}

/** Long enough for any token of ours; one of another form is no longer valid, like any we do not know. */
export const GivenToken = exactly(1, 200)

/**
 * Makes a token for this user and address: 24 hours to confirm it, 30 minutes for a new password, a week to take a
 * change of address back.
 */
export async function issueToken(
  { db, now }: Uses<'db' | 'now'>,
  user: Pick<UserDocument, '_id' | 'email'>,
  purpose: TokenPurpose,
  changeKey: string | null = null,
): Promise<string> {
  const token = generateIdFromEntropySize(25)
  const createdAt = now()
  await db.orm.email_tokens.create({
    tokenHash: hashOfToken(token),
    userId: user._id,
    purpose,
    email: user.email,
    changeKey,
    createdAt,
    expiresAt: new Date(createdAt.getTime() + VALID_FOR_MS[purpose]),
  })
  return token
}

/** The token as it was issued for one of these purposes, while it is valid. Throws TOKEN_INVALID. */
export async function requireToken(
  { db, now }: Uses<'db' | 'now'>,
  token: string,
  purposes: readonly TokenPurpose[],
): Promise<Stored<'email_tokens'>> {
  const found = await db.orm.email_tokens.where({ tokenHash: hashOfToken(token) }).first()
  const isValid =
    found !== null &&
    purposes.includes(found.purpose) &&
    found.expiresAt.getTime() > now().getTime()
  if (!isValid) throw new DomainError('TOKEN_INVALID')
  return found
}

/** Whose token this is, while it is valid and still for the address the account has. Throws TOKEN_INVALID. */
export async function requireTokenOwner(
  deps: Uses<'db' | 'now'>,
  token: string,
  purpose: TokenPurpose,
): Promise<UserDocument> {
  const found = await requireToken(deps, token, [purpose])
  const user = await findUser(deps.db, { _id: found.userId })
  if (user?.email !== found.email) throw new DomainError('TOKEN_INVALID')
  return user
}

/** Uses the token up. Of several at once, one removes it; the others come too late. Throws TOKEN_INVALID. */
export async function consumeToken(
  { db }: Uses<'db'>,
  token: string,
  purpose: TokenPurpose,
): Promise<void> {
  const consumed = await db.orm.email_tokens
    .where({ tokenHash: hashOfToken(token), purpose })
    .delete()
  if (!consumed) throw new DomainError('TOKEN_INVALID')
}

/** Takes back every token of this user for these purposes. */
export async function revokeTokens(
  { db }: Uses<'db'>,
  userId: string,
  ...purposes: TokenPurpose[]
): Promise<void> {
  for (const purpose of purposes)
    await db.orm.email_tokens.where({ userId, purpose }).deleteAndCount()
}
