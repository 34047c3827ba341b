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

// Sessions first: from then on nobody acts under the account and leaves new rows behind.
async function erase(
  deps: Uses<'db' | 'sessions'>,
  { userId }: Pick<Leaver, 'userId'>,
): Promise<void> {
  await endSessionsOf(deps, userId)
  await deps.db.orm.email_tokens.where({ userId }).deleteAndCount()
  await removeSecondFactor(deps, userId)
}

/** Sessions; links that were mailed and the second factor are secrets, which an export must not hold. */
export const authData = { lists: { sessions: readSessions }, erase } satisfies PersonalData
