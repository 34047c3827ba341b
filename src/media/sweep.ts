import type { Uses } from '../deps.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'
import type { Job } from '../jobs.ts'
import { attach, detach } from './attach.ts'
import { acceptPending } from './confirm-upload.ts'
import { findMedia, type MediaDocument } from './media.ts'
import { isReferenced, markOrphanedFiles } from './orphaned-files.ts'
import { findOrphanedPictures } from './orphaned-pictures.ts'
import { destroyAsset, markRemoved } from './transitions.ts'

const ORPHANED_DAYS = 30
const BATCH = 100

/**
 * Every five minutes: destroys what was removed, removes what has been orphaned for 30 days, finds out about
 * uploads that nobody confirmed within a day, and attaches pictures whose process ended before it could.
 */
export const sweepMedia: Job = {
  name: 'sweep-media',
  everySeconds: 300,
  run: async (deps) => {
    const before = (milliseconds: number) => new Date(deps.now().getTime() - milliseconds)
    for (const media of await findDue(deps, 'REMOVED', before(10 * MINUTE_MS)))
      await sweepRemoved(deps, media)
    for (const media of await findDue(deps, 'UNUSED', before(10 * MINUTE_MS)))
      await sweepOrphaned(deps, media)
    for (const media of await findDue(deps, 'PENDING', before(DAY_MS)))
      await sweepPending(deps, media)
    for (const media of await findOrphanedPictures(deps, before(DAY_MS))) await attach(deps, media)
    await markOrphanedFiles(deps, before(ORPHANED_DAYS * DAY_MS))
  },
}

async function findDue(
  { db }: Uses<'db'>,
  state: 'REMOVED' | 'UNUSED' | 'PENDING',
  before: Date,
): Promise<MediaDocument[]> {
  const rows = await db.driver
    .collection('media')
    .find(
      { state, updatedAt: { $lte: before } },
      { projection: { _id: 1 }, sort: { updatedAt: 1 }, limit: BATCH },
    )
    .toArray()
  return findMedia(
    { db },
    rows.map(({ _id }) => _id.toHexString()),
  )
}

/**
 * An upload that was running, or a form that was signed, when its row was removed can still store a file. So
 * the row goes only when both are over, and until then is looked after again.
 */
async function sweepRemoved(
  deps: Uses<'db' | 'now' | 'cloudinary' | 'log'>,
  media: MediaDocument,
): Promise<void> {
  await detach(deps, media)
  const isDestroyed = await destroyAsset(deps, media)
  const isOver = deps.now().getTime() - media.createdAt.getTime() > 2 * HOUR_MS
  if (isDestroyed && isOver)
    await deps.db.orm.media.where({ _id: media._id, state: 'REMOVED' }).deleteAndCount()
  else await requeue(deps, media)
}

/**
 * UNUSED → READY where a lesson references the file after all, else → REMOVED. Every request that could have
 * attached it while it was marked is over by now: what no lesson references now, none ever will.
 */
async function sweepOrphaned(
  deps: Uses<'db' | 'now' | 'cloudinary' | 'log'>,
  media: MediaDocument,
): Promise<void> {
  const isBack = await isReferenced(deps, media)
  const { db, now } = deps
  const changed = await db.orm.media
    .where({ _id: media._id, state: 'UNUSED' })
    .updateAndCount({ state: isBack ? 'READY' : 'REMOVED', updatedAt: now() })
  if (changed > 0 && !isBack) await destroyAsset(deps, media)
}

async function sweepPending(
  deps: Uses<'db' | 'now' | 'cloudinary' | 'log' | 'scanFile'>,
  media: MediaDocument,
): Promise<void> {
  try {
    await acceptPending(deps, media)
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    if (error.reason === 'MEDIA_NOT_READY') await markRemoved(deps, media._id)
    // To the end of the queue: those Cloudinary cannot tell of must not keep the others waiting.
    else await requeue(deps, media)
  }
}

async function requeue(
  { db, now }: Uses<'db' | 'now'>,
  { _id, state }: MediaDocument,
): Promise<void> {
  await db.orm.media.where({ _id, state }).updateAndCount({ updatedAt: now() })
}
