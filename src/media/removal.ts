import { audit, type Audited } from '../audit.ts'
import type { Actor } from '../auth/sessions.ts'
import type { Uses } from '../deps.ts'
import { detach } from './attach.ts'
import { requireOwnMedia, type MediaRef } from './own-media.ts'
import { destroyAsset, markRemoved } from './transitions.ts'

/**
 * Removes a file: no link to it is given from here on, even while Cloudinary cannot be reached. Who removes a
 * file that somebody else uploaded is written into the audit log.
 *
 * Throws NOT_FOUND (not one's own, or removed already).
 */
export async function removeMedia(
  deps: Audited & Uses<'cloudinary' | 'log'>,
  actor: Actor,
  { mediaId }: MediaRef,
): Promise<null> {
  const media = await requireOwnMedia(deps, actor, mediaId)
  const isMarked = await markRemoved(deps, mediaId)
  await detach(deps, media)
  if (!isMarked) return null
  if (media.ownerId !== actor.id)
    await audit(deps, { actor, act: 'media.removed', target: `media:${mediaId}` })
  await destroyAsset(deps, media)
  return null
}
