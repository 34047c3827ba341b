// The states of an upload: PENDING → READY → REMOVED, or PENDING → REMOVED. Between READY and REMOVED an
// orphaned file is UNUSED for a while (orphaned-files.ts). The row of a removed upload goes once its asset is
// gone (sweep.ts).
import { randomBytes } from 'node:crypto'
import { ObjectId } from 'mongodb'
import type { Actor } from '../auth/sessions.ts'
import type { Uses } from '../deps.ts'
import type { StoredAsset } from '../gateways/cloudinary/account.ts'
import { assetRefOf, type MediaDocument } from './media.ts'
import { UPLOAD_RULES, type Purpose } from './purposes.ts'

export type NewUpload = {
  purpose: Purpose
  courseId: string | null
  format: string | null
  fileName: string | null
}

/**
 * Writes an upload down as PENDING before Cloudinary has its file, so that none can be stored unknown to us.
 */
export async function registerUpload(
  { db, now }: Uses<'db' | 'now'>,
  actor: Actor,
  { purpose, courseId, format, fileName }: NewUpload,
): Promise<MediaDocument> {
  const at = now()
  const { resourceType, deliveryType } = UPLOAD_RULES[purpose]
  // Of raw files the id's extension decides the type they are served as, so it is ours too.
  const extension = resourceType === 'raw' && format !== null ? `.${format}` : ''
  return db.orm.media.create({
    publicId: `${purpose}/${randomBytes(15).toString('hex')}${extension}`,
    ownerId: actor.id,
    purpose,
    courseId,
    state: 'PENDING',
    resourceType,
    deliveryType,
    format,
    fileName,
    bytes: null,
    width: null,
    height: null,
    durationSeconds: null,
    version: null,
    createdAt: at,
    updatedAt: at,
  })
}

/** PENDING → READY with what is really stored; null when it was removed meanwhile, or is READY already. */
export async function markReady(
  { db, now }: Uses<'db' | 'now'>,
  media: MediaDocument,
  asset: StoredAsset,
): Promise<MediaDocument | null> {
  return db.orm.media.where({ _id: media._id, state: 'PENDING' }).update({
    state: 'READY',
    format: asset.format === '' ? media.format : asset.format,
    bytes: asset.bytes,
    width: asset.width ?? null,
    height: asset.height ?? null,
    durationSeconds: asset.durationSeconds ?? null,
    version: asset.version,
    updatedAt: now(),
  })
}

/**
 * Any state → REMOVED; false when it was there already. From here on nobody gets a link to the file; its
 * asset goes when Cloudinary lets it.
 */
export async function markRemoved(
  { db, now }: Uses<'db' | 'now'>,
  mediaId: string,
): Promise<boolean> {
  const marked = await db.driver
    .collection('media')
    .updateOne(
      { _id: new ObjectId(mediaId), state: { $ne: 'REMOVED' } },
      { $set: { state: 'REMOVED', updatedAt: now() } },
    )
  return marked.modifiedCount === 1
}

/** Removes the file from Cloudinary. False when that failed: the sweep tries again. */
export async function destroyAsset(
  { cloudinary, log }: Uses<'cloudinary' | 'log'>,
  media: MediaDocument,
): Promise<boolean> {
  try {
    await cloudinary.destroy(assetRefOf(media))
    return true
  } catch (error) {
    log.warn({ err: error, mediaId: media._id }, 'a file could not be removed yet')
    return false
  }
}
