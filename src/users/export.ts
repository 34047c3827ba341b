import type { Actor } from '../auth/sessions.ts'
import { findUser, userOf, type User } from '../auth/user.ts'
import type { Billing } from '../billing.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import type { NewestRows, PersonalData } from '../personal-data.ts'
import { billingOf } from './profile.ts'

/** No list in an export is longer than this; `complete` says whether one was cut, newest kept. */
const MOST_ROWS = 2_000

/** Nor are all of them together, as JSON; what is cut is in the download (users/downloads/router). */
const MOST_BYTES = 4 * 1024 * 1024

type AccountExport = {
  exportedAt: Date
  complete: boolean
  user: User & { billing: Billing | null }
}

type ExportedUser = AccountExport['user']

type ListsOf<Rooms extends readonly PersonalData[]> = Rooms extends readonly [
  infer First extends PersonalData,
  ...infer Others extends readonly PersonalData[],
]
  ? RowsOf<First['lists']> & ListsOf<Others>
  : object

type RowsOf<Lists> = {
  [Name in keyof Lists]: Lists[Name] extends NewestRows<infer Row> ? Row[] : never
}

/**
 * Everything that is kept of this person, in one answer: what each room registered, never a secret.
 * Throws UNAUTHENTICATED.
 */
export async function exportAccount<const Rooms extends readonly PersonalData[]>(
  { db, now }: Uses<'db' | 'now'>,
  actor: Pick<Actor, 'id'>,
  rooms: Rooms,
  // Mapped here, where no alias hides it, so that a client's types name the lists and not the rooms.
): Promise<AccountExport & { [Name in keyof ListsOf<Rooms>]: ListsOf<Rooms>[Name] }> {
  const user = await exportedUser({ db }, actor)
  const lists = new Map<string, object[]>()
  let left = MOST_BYTES
  let complete = true
  // One after the other: the rows of one list at a time are enough to have in memory.
  for (const [name, newest] of rooms.flatMap((room) => Object.entries(room.lists))) {
    const rows = await newest({ db }, actor.id, MOST_ROWS)
    const kept = rows.filter((row) => (left -= Buffer.byteLength(JSON.stringify(row))) >= 0)
    complete &&= rows.length < MOST_ROWS && kept.length === rows.length
    lists.set(name, kept)
  }
  return {
    exportedAt: now(),
    complete,
    user,
    // An object made of entries no longer knows which rows go by which name.
    ...(Object.fromEntries(lists) as ListsOf<Rooms>),
  }
}

/** The account itself. Throws UNAUTHENTICATED. */
export async function exportedUser(
  { db }: Uses<'db'>,
  actor: Pick<Actor, 'id'>,
): Promise<ExportedUser> {
  const user = await findUser(db, { _id: actor.id })
  if (!user) throw new DomainError('UNAUTHENTICATED')
  return { ...userOf(user), billing: billingOf(user) }
}
