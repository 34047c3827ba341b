import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import type { Uses } from '../deps.ts'
import type { Leaver, PersonalData } from '../personal-data.ts'

// Only marked: the media sweep removes the picture at the gateway, however long that cannot be reached.
async function erase(
  { db, now }: Uses<'db' | 'now'>,
  { userId }: Pick<Leaver, 'userId'>,
): Promise<void> {
  await db.orm.media
    .where({ ownerId: userId, purpose: 'avatar' })
    .where(Field.neq('state', 'REMOVED'))
    .updateAndCount({ state: 'REMOVED', updatedAt: now() })
}

/** Pictures of the person; what an author uploaded for a course belongs to the course. */
export const mediaData = { lists: {}, erase } satisfies PersonalData
