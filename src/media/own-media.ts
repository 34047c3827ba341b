import { z } from 'zod'
import type { Actor } from '../auth/sessions.ts'
import { isOwner } from '../courses/access.ts'
import { findCourse } from '../courses/course.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { Id, orNamed } from '../fields.ts'
import type { MediaDocument } from './media.ts'

export const MediaRef = orNamed(z.object({ mediaId: Id }), 'mediaId', 'id')
export type MediaRef = z.infer<typeof MediaRef>

/**
 * A file for whoever uploaded it, for the author of its course, and for administrators. Throws NOT_FOUND for
 * everyone else, and when it was removed.
 */
export async function requireOwnMedia(
  { db }: Uses<'db'>,
  actor: Actor,
  mediaId: string,
): Promise<MediaDocument> {
  const media = await db.orm.media.where({ _id: mediaId }).first()
  if (!media || media.state === 'REMOVED') throw new DomainError('NOT_FOUND')
  const isOwn = media.ownerId === actor.id || actor.role === 'ADMIN'
  if (isOwn || (await isOfOwnCourse({ db }, actor, media))) return media
  throw new DomainError('NOT_FOUND')
}

async function isOfOwnCourse(
  { db }: Uses<'db'>,
  actor: Actor,
  { courseId }: MediaDocument,
): Promise<boolean> {
  const course = courseId === null ? null : await findCourse(db, { _id: courseId })
  return course !== null && isOwner(course, actor)
}
