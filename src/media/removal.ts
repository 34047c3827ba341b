import { audit, type Audited } from '../audit.ts'
import type { Actor } from '../auth/sessions.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import type { Job } from '../jobs.ts'
import { findMedia, markRemoved, type MediaDocument } from './media.ts'
import { requireOwnMedia, acceptPending, type MediaRef } from './direct-upload.ts'
import { destroyAsset, use } from './accept-upload.ts'
import { findOrphanedPictures } from './orphaned-pictures.ts'
import { isReferenced, markOrphanedFiles } from './orphaned-files.ts'
import { detach } from './attach.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const ORPHANED_DAYS = 30
const BATCH = 100

type Needs = Uses<'db' | 'now' | 'cloudinary' | 'log'>

/** No link to it is given from here on, even while Cloudinary cannot be reached. */
export async function removeMedia(
  deps: Needs & Audited,
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

/** Removes files that were to go, and finds out about those nobody told us of. */
export const sweepMedia: Job = {
  name: 'sweep-media',
  everySeconds: 300,
  run: async (deps) => {
    const before = (milliseconds: number) => new Date(deps.now().getTime() - milliseconds)
    for (const media of await findDue(deps, 'REMOVED', before(10 * MINUTE_MS)))
      await sweepRemoved(deps, media)
    for (const media of await findDue(deps, 'UNUSED', before(10 * MINUTE_MS)))
      await sweepOrphaned(deps, media)
    for (const media of await findDue(deps, 'PENDING', before(24 * HOUR_MS)))
      await sweepPending(deps, media)
    for (const media of await findOrphanedPictures(deps, before(24 * HOUR_MS)))
      await use(deps, media)
    await markOrphanedFiles(deps, before(ORPHANED_DAYS * 24 * HOUR_MS))
  },
}

async function findDue(
  { db }: Needs,
  state: 'REMOVED' | 'UNUSED' | 'PENDING',
  before: Date,
): Promise<MediaDocument[]> {
  const rows = await db.driver
    .collection('media')
    .find(
      { state, updatedAt: { $lte: before } },
      { projection: { _id: 1 }, sort: { updatedAt: 1 }, limit: BATCH, maxTimeMS: 5_000 },
    )
    .toArray()
  return findMedia(
    { db },
    rows.map(({ _id }) => _id.toHexString()),
  )
}

/**
 * An upload that was under way, or a form that was signed, when its row was removed can still store a file.
 * So the row goes only when both are over, and until then is looked after again.
 */
async function sweepRemoved(deps: Needs, media: MediaDocument): Promise<void> {
  await detach(deps, media)
  const isGone = await destroyAsset(deps, media)
  const isOver = deps.now().getTime() - media.createdAt.getTime() > 2 * HOUR_MS
  if (isGone && isOver)
    await deps.db.orm.media.where({ _id: media._id, state: 'REMOVED' }).deleteAndCount()
  else await touch(deps, media)
}

/** Every request that could have passed the mark is over: what no lesson names now, none ever will. */
async function sweepOrphaned(deps: Needs, media: MediaDocument): Promise<void> {
  const isBack = await isReferenced(deps, media)
  const { db, now } = deps
  const isMoved = await db.orm.media
    .where({ _id: media._id, state: 'UNUSED' })
    .updateAndCount({ state: isBack ? 'READY' : 'REMOVED', updatedAt: now() })
  if (isMoved > 0 && !isBack) await destroyAsset(deps, media)
}

async function touch({ db, now }: Needs, { _id, state }: MediaDocument): Promise<void> {
  await db.orm.media.where({ _id, state }).updateAndCount({ updatedAt: now() })
}

async function sweepPending(deps: Needs, media: MediaDocument): Promise<void> {
  try {
    await acceptPending(deps, media)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    if (error.reason === 'MEDIA_NOT_READY') await markRemoved(deps, media._id)
    // To the end of the queue: those Cloudinary cannot tell of must not keep the others waiting.
    else await touch(deps, media)
  }
}
