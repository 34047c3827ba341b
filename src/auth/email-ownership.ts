import type { Uses } from '../deps.ts'
import { revokeTokens } from './email-tokens.ts'
import { removeSecondFactor } from './second-factor.ts'
import type { UserDocument } from './user.ts'

/**
 * Marks the address as confirmed: whoever reads its mail owns it, and with it the account. Before the first
 * proof of that, a squatter may have registered it, whose second factor would keep the owner out for ever.
 * The address is marked last, since what a process leaves undone here is done with the owner's next link.
 */
export async function confirmOwnership(
  { db, now }: Uses<'db' | 'now'>,
  user: Pick<UserDocument, '_id' | 'email' | 'emailVerifiedAt'>,
): Promise<void> {
  if (!user.emailVerifiedAt) {
    await removeSecondFactor({ db }, user._id)
    await db.orm.users
      .where({ _id: user._id, email: user.email })
      .update({ emailVerifiedAt: now(), updatedAt: now() })
  }
  await revokeTokens({ db }, user._id, 'VERIFY_EMAIL')
}
