import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import type { z } from 'zod'
import type { Actor } from '../auth/sessions.ts'
import { requireOwnCourse } from '../courses/access.ts'
import type { Uses } from '../deps.ts'
import { Id, Page, type PageOf } from '../fields.ts'
import { readPage } from '../paging.ts'
import { publicMedia, type Media } from './media.ts'

const NOT_REMOVED = MongoFieldFilter.neq('state', 'REMOVED')

/** One's own, or all of a course of one's own. */
export const MediaPage = Page.extend({ courseId: Id.optional() }).prefault({})
export type MediaPage = z.infer<typeof MediaPage>

/**
 * The files an account keeps here, newest first: what counts towards its quota, and where to find what to
 * remove. With a course, the files of that course, whoever uploaded them.
 *
 * Throws NOT_FOUND or FORBIDDEN (not one's own course).
 */
export async function listMedia(
  deps: Uses<'db' | 'cloudinary'>,
  actor: Actor,
  { courseId, ...page }: MediaPage,
): Promise<PageOf<Media>> {
  if (courseId !== undefined) await requireOwnCourse(deps, actor, courseId)
  const { media } = deps.db.orm
  const theirs =
    courseId === undefined ? media.where({ ownerId: actor.id }) : media.where({ courseId })
  const { items, nextCursor } = await readPage(theirs.where(NOT_REMOVED), page)
  return { items: items.map((row) => publicMedia(deps, row)), nextCursor }
}
