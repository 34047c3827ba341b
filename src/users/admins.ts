import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import type { UserDocument } from '../auth/user.ts'
import { oid, type Db } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'

/** A change that may take an administrator away, and how to put it back. Null: someone else was first. */
type Removal = {
  change: () => Promise<UserDocument | null>
  undo: () => Promise<unknown>
}

/**
 * Runs a removal so that an administrator always remains. Nothing spans two documents here, so two
 * administrators who demote each other may both pass the first look. Each looks again after its own change:
 * the later of the two then finds nobody left and puts its change back. At worst both do, and both are
 * refused. Should the process die between a change and that second look, `npm run admin:create` mends it.
 * Throws LAST_ADMIN, CHANGED_MEANWHILE.
 */
export async function guardLastAdmin(
  { db }: Uses<'db'>,
  user: Pick<UserDocument, '_id' | 'role' | 'disabledAt' | 'deletedAt'>,
  { change, undo }: Removal,
): Promise<UserDocument> {
  const isAdmin = user.role === 'ADMIN' && !user.disabledAt && !user.deletedAt
  if (isAdmin && !(await hasAdmin(db, user._id))) throw new DomainError('LAST_ADMIN')
  const changed = await change()
  if (!changed) throw new DomainError('CHANGED_MEANWHILE')
  if (isAdmin && !(await hasAdmin(db))) {
    await undo()
    throw new DomainError('LAST_ADMIN')
  }
  return changed
}

async function hasAdmin(db: Db, except?: string): Promise<boolean> {
  const admins = db.orm.users
    .where({ role: 'ADMIN' })
    .where(Field.isNull('disabledAt'))
    .where(Field.isNull('deletedAt'))
  const others = except === undefined ? admins : admins.where(Field.neq('_id', oid(except)))
  return (await others.first()) !== null
}
