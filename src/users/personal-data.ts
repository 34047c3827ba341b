import type { Uses } from '../deps.ts'
import type { PersonalData } from '../personal-data.ts'

type ExportedAct = { at: Date; act: string; network: string | null }

async function readActivity(
  { db }: Uses<'db'>,
  actorId: string,
  most: number,
): Promise<ExportedAct[]> {
  const rows = await db.orm.audit_entries.where({ actorId }).orderBy({ at: -1 }).limit(most).all()
  return rows.map(({ at, act, network }) => ({ at, act, network: network ?? null }))
}

/** The audit log, which this room shows: it outlives its actors and names them by id alone. */
export const auditData = { lists: { activity: readActivity } } satisfies PersonalData
