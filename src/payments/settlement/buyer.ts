import type { UserDocument } from '../../auth/user.ts'
import type { Uses } from '../../deps.ts'

/** Whose order it is, disabled and deleted accounts too. Read once for all that a payment opens. */
export function findBuyer({ db }: Uses<'db'>, userId: string): Promise<UserDocument | null> {
  return Promise.resolve(db.orm.users.where({ _id: userId }).first())
}

/** Someone who can be written to, and from whom money is taken. */
export function isHere(buyer: UserDocument | null): buyer is UserDocument {
  return buyer !== null && !buyer.deletedAt
}
