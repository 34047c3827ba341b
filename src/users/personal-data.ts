import { targetOf } from '../auth/user.ts'
import type { Uses } from '../deps.ts'
import type { Leaver, PersonalData } from '../personal-data.ts'

type ExportedAct = { at: Date; act: string; network: string | null }

async function readActivity(
  { db }: Uses<'db'>,
  actorId: string,
  most: number,
): Promise<ExportedAct[]> {
  const rows = await db.orm.audit_entries.where({ actorId }).orderBy({ at: -1 }).limit(most).all()
  return rows.map(({ at, act, network }) => ({ at, act, network: network ?? null }))
}

// Networks were theirs, and reasons and texts about them were written by people. What was done stays.
async function erase({ db }: Uses<'db'>, { userId }: Pick<Leaver, 'userId'>): Promise<void> {
  const entries = db.driver.collection('audit_entries')
  const gone = { $set: { network: null } }
  await entries.updateMany({ actorId: userId, network: { $ne: null } }, gone)
  await entries.updateMany(
    { target: targetOf(userId), actorId: null, network: { $ne: null } },
    gone,
  )
  for (const said of ['before.reason', 'after.reason', 'before.body', 'after.body'])
    await entries.updateMany(
      { subjectId: userId, [said]: { $type: 'string' } },
      { $set: { [said]: '[erased]' } },
    )
}

/** The audit log, which this room shows: it outlives its actors and names them by id alone. */
export const auditData = {
  lists: { activity: readActivity },
  keeps: {
    audit_entries: {
      what: 'who did what and when, by ids, and from which network',
      after: 'stay without networks, reasons and texts',
      until: 'for ever',
    },
  },
  erase,
} satisfies PersonalData
