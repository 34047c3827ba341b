// What a room registers of the people it keeps rows about, as it registers its jobs. src/router.ts hands the
// list to the users room, which exports and erases an account without knowing the rooms that hold its parts.
import type { Uses } from './deps.ts'

/** The newest rows about a user, at most `most` of them, in the shape their owner may read. */
export type NewestRows<Row extends object = object> = (
  deps: Uses<'db'>,
  userId: string,
  most: number,
) => Promise<Row[]>

/** Someone who has deleted their account. */
export type Leaver = {
  userId: string
  /** The address the account had, until all rooms have erased once; null from then on. */
  formerEmail: string | null
  deletedAt: Date
  /** Stands wherever their name was shown. */
  pseudonym: string
}

/** What a collection holds of a person, what becomes of that when they leave, and when it is gone. */
export type Kept = { what: string; after: string; until: string }

export type PersonalData = {
  /** Each collection of the room, by its name: docs/personal-data.md is this list. */
  keeps: Readonly<Record<string, Kept>>
  /** The room's part of an export: each list by its name there. */
  lists: Readonly<Record<string, NewestRows>>
  /** Throws why an account must stay for now, where it must. */
  requireDeletable?: (deps: Uses<'db'>, userId: string) => Promise<void>
  /**
   * Removes what nobody needs once they have left. Run when they leave, and again by a job: it may be killed
   * anywhere.
   */
  erase?: (deps: Uses<'db' | 'now' | 'sessions'>, leaver: Leaver) => Promise<void>
}

/** What the server keeps for itself. */
export const serverData = {
  lists: {},
  keeps: {
    facts: { what: 'nothing', after: 'stay', until: 'for ever' },
    leases: { what: 'nothing', after: 'stay', until: 'for ever' },
  },
} satisfies PersonalData
