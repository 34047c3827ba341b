import type { Uses } from '../deps.ts'
import { dropTokens } from './email-tokens.ts'
import type { UserDocument } from './user.ts'

/**
 * Whoever reads the mail owns the address, and with it the account. Before the first proof of that, anybody may
 * have registered it, and a second factor of theirs would keep the owner out for ever. The address is marked
 * last, since what a process leaves undone here is done with the next link.
 */
export async function takePossession(
  { db, now }: Uses<'db' | 'now'>,
  user: UserDocument,
): Promise<void> {
  if (!user.emailVerifiedAt) {
    await db.orm.totps.where({ userId: user._id }).deleteAndCount()
    await db.orm.users
      .where({ _id: user._id, email: user.email })
      .update({ emailVerifiedAt: now(), updatedAt: now() })
  }
  await dropTokens({ db }, user._id, 'VERIFY_EMAIL')
}
