import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import type { Uses } from '../deps.ts'
import { NEWEST_FIRST } from '../paging.ts'
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

type ExportedMedia = {
  id: string
  purpose: string
  courseId: string | null
  format: string | null
  bytes: number | null
  state: string
  createdAt: Date
}

async function readMedia(
  { db }: Uses<'db'>,
  ownerId: string,
  most: number,
): Promise<ExportedMedia[]> {
  const rows = await db.orm.media.where({ ownerId }).orderBy(NEWEST_FIRST).limit(most).all()
  return rows.map(({ _id: id, purpose, courseId, format, bytes, state, createdAt }) => ({
    id,
    purpose,
    courseId: courseId ?? null,
    format: format ?? null,
    bytes: bytes ?? null,
    state,
    createdAt,
  }))
}

/** Pictures of the person; what an author uploaded for a course belongs to the course. */
export const mediaData = {
  lists: { media: readMedia },
  keeps: {
    media: {
      what: 'pictures of the person, and files of an author’s courses',
      after: 'pictures are removed, also at the media store; the rest belongs to the course',
      until: 'it is removed from the course',
    },
  },
  erase,
} satisfies PersonalData
