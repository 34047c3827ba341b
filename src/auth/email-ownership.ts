import type { Uses } from '../deps.ts'
import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import { revokeTokens } from './email-tokens.ts'
import { removeSecondFactor } from './second-factor.ts'
import type { UserDocument } from './user.ts'

/**
 * How somebody who reads the address's mail has shown it: by the link, in a session of this very account or in
 * none; or by a new password.
 */
type Proof = 'in-session' | 'elsewhere' | 'new-password'

/**
 * Marks the address as confirmed: whoever reads its mail owns it, and with it the account. Before the first
 * proof of that, a squatter may have registered it, whose second factor would keep the owner out for ever. So a
 * factor from before goes with the password that came from before, and only then: a link alone takes nothing
 * away, and one that is followed in a session of the account shows that both are the same person's. The address
 * is marked last, since what a process leaves undone here is done with the owner's next link. Answers whether a
 * second factor was taken away.
 */
export async function confirmOwnership(
  { db, now }: Uses<'db' | 'now'>,
  user: Pick<UserDocument, '_id' | 'email' | 'emailVerifiedAt'>,
  proof: Proof,
): Promise<boolean> {
  const isFirst = !user.emailVerifiedAt
  const isTaken = proof === 'new-password' && (await takeFactorOfBefore({ db }, user._id, isFirst))
  if (isFirst) {
    if (proof === 'elsewhere') await doubtFactor({ db }, user._id)
    await db.orm.users
      .where({ _id: user._id, email: user.email })
      .update({ emailVerifiedAt: now(), updatedAt: now() })
  }
  await revokeTokens({ db }, user._id, 'VERIFY_EMAIL')
  return isTaken
}

async function takeFactorOfBefore(
  { db }: Uses<'db'>,
  userId: string,
  isFirst: boolean,
): Promise<boolean> {
  if (isFirst) return removeSecondFactor({ db }, userId)
  return (await db.orm.totps.where({ userId, beforeProof: true }).deleteAndCount()) > 0
}

async function doubtFactor({ db }: Uses<'db'>, userId: string): Promise<void> {
  await db.orm.totps
    .where({ userId })
    .where(Field.isNotNull('confirmedAt'))
    .update({ beforeProof: true })
}
