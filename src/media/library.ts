import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import type { Actor } from '../auth/sessions.ts'
import type { Uses } from '../deps.ts'
import type { Page, PageOf } from '../fields.ts'
import { readPage } from '../paging.ts'
import { publicMedia, type Media } from './assets.ts'

const IS_KEPT = MongoFieldFilter.neq('state', 'REMOVED')

/** What someone keeps here, newest first: what counts towards their quota, and where to find what to remove. */
export async function listMedia(
  deps: Uses<'db' | 'cloudinary'>,
  actor: Actor,
  page: Page,
): Promise<PageOf<Media>> {
  const kept = deps.db.orm.media.where({ ownerId: actor.id }).where(IS_KEPT)
  const { items, nextCursor } = await readPage(kept, page)
  return { items: items.map((row) => publicMedia(deps, row)), nextCursor }
}
