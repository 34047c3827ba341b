import type { Uses } from '../deps.ts'
import { NEWEST_FIRST } from '../paging.ts'
import type { Leaver, PersonalData } from '../personal-data.ts'
import { removeSecondFactor } from './second-factor.ts'
import { endSessionsOf } from './sessions.ts'

type ExportedSession = {
  createdAt: Date
  lastUsedAt: Date
  userAgent: string | null
  network: string | null
}

async function readSessions(
  { db }: Uses<'db'>,
  userId: string,
  most: number,
): Promise<ExportedSession[]> {
  const rows = await db.orm.sessions.where({ userId }).orderBy(NEWEST_FIRST).limit(most).all()
  return rows.map(({ createdAt, lastUsedAt, userAgent, network }) => ({
    createdAt,
    lastUsedAt,
    userAgent: userAgent ?? null,
    network: network ?? null,
  }))
}

type ExportedFactor = { createdAt: Date; confirmedAt: Date | null }

async function readSecondFactor(
  { db }: Uses<'db'>,
  userId: string,
  most: number,
): Promise<ExportedFactor[]> {
  const rows = await db.orm.totps.where({ userId }).limit(most).all()
  return rows.map(({ createdAt, confirmedAt }) => ({ createdAt, confirmedAt: confirmedAt ?? null }))
}

type ExportedEmailChange = { from: string; to: string; createdAt: Date; expiresAt: Date }

async function readEmailChanges(
  { db }: Uses<'db'>,
  userId: string,
  most: number,
): Promise<ExportedEmailChange[]> {
  const rows = await db.orm.email_changes.where({ userId }).limit(most).all()
  return rows.map(({ oldEmail: from, newEmail: to, createdAt, expiresAt }) => ({
    from,
    to,
    createdAt,
    expiresAt,
  }))
}

// Sessions first: from then on nobody acts under the account and leaves new rows behind.
async function erase(
  deps: Uses<'db' | 'sessions'>,
  { userId }: Pick<Leaver, 'userId'>,
): Promise<void> {
  await endSessionsOf(deps, userId)
  await deps.db.orm.email_tokens.where({ userId }).deleteAndCount()
  await deps.db.orm.email_changes.where({ userId }).deleteAndCount()
  await removeSecondFactor(deps, userId)
}

/** Links that were mailed and the second factor's key are secrets, which an export must not hold. */
export const authData = {
  lists: { sessions: readSessions, secondFactor: readSecondFactor, emailChanges: readEmailChanges },
  keeps: {
    users: {
      what: 'name, address, billing profile, picture, role',
      after: 'the id stays, with a pseudonym in place of the rest',
      until: 'for ever',
    },
    sessions: { what: 'device and network', after: 'removed', until: '90 days' },
    email_tokens: { what: 'the address a link was mailed to', after: 'removed', until: '7 days' },
    email_changes: { what: 'the old and the new address', after: 'removed', until: '1 day' },
    totps: { what: 'the key of a second factor', after: 'removed', until: 'it is turned off' },
    throttles: {
      what: 'counts, under digests of addresses and networks',
      after: 'stay: a digest leads nowhere without the address',
      until: '90 days',
    },
  },
  erase,
} satisfies PersonalData
