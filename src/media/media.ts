import { randomBytes } from 'node:crypto'
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { ObjectId } from 'mongodb'
import type { Actor } from '../auth/sessions.ts'
import { oid, type Stored } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import type {
  AssetRef,
  DeliveryType,
  ResourceType,
  StoredAsset,
} from '../gateways/cloudinary/account.ts'
import { QUOTAS, UPLOAD_RULES, type Purpose } from './purposes.ts'

export type MediaDocument = Stored<'media'>

export type Media = {
  mediaId: string
  purpose: Purpose
  courseId: string | null
  createdAt: Date
  /** UNUSED: no lesson has named it for long, so it is about to be removed. */
  state: 'PENDING' | 'READY' | 'UNUSED' | 'REMOVED'
  bytes: number | null
  format: string | null
  width: number | null
  height: number | null
  durationSeconds: number | null
  /** Of public pictures only; everything else is had by a link that expires. */
  url: string | null
}

export function publicMedia({ cloudinary }: Uses<'cloudinary'>, media: MediaDocument): Media {
  const isPublic = media.deliveryType === 'upload' && media.state === 'READY'
  return {
    mediaId: media._id,
    purpose: media.purpose,
    courseId: media.courseId ?? null,
    createdAt: media.createdAt,
    state: media.state,
    bytes: media.bytes ?? null,
    format: media.format ?? null,
    width: media.width ?? null,
    height: media.height ?? null,
    durationSeconds: media.durationSeconds ?? null,
    url: isPublic ? imageUrlOf({ cloudinary }, media) : null,
  }
}

/** Those that are there, in no order. */
export async function findMedia({ db }: Uses<'db'>, ids: string[]): Promise<MediaDocument[]> {
  if (ids.length === 0) return []
  return db.orm.media.where(MongoFieldFilter.in('_id', ids.map(oid))).all()
}

export function imageUrlOf({ cloudinary }: Uses<'cloudinary'>, media: MediaDocument): string {
  const { publicId, version } = media
  return cloudinary.imageUrl({ publicId, ...(version !== null && { version }) })
}

export function assetRefOf(media: MediaDocument): AssetRef {
  return {
    publicId: media.publicId,
    resourceType: media.resourceType as ResourceType,
    deliveryType: media.deliveryType as DeliveryType,
  }
}

export type NewUpload = { purpose: Purpose; courseId: string | null; format: string | null }

/** Writes down where a file will be before it is there, so that none can be stored unknown to us. */
export async function registerUpload(
  { db, now }: Uses<'db' | 'now'>,
  actor: Actor,
  { purpose, courseId, format }: NewUpload,
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

/** From here on nobody gets a link to it; the file itself goes when Cloudinary lets it. */
export async function markRemoved(
  { db, now }: Uses<'db' | 'now'>,
  mediaId: string,
): Promise<boolean> {
  const marked = await db.driver
    .collection('media')
    .updateOne(
      { _id: new ObjectId(mediaId), state: { $ne: 'REMOVED' } },
      { $set: { state: 'REMOVED', updatedAt: now() } },
      { maxTimeMS: 5_000 },
    )
  return marked.modifiedCount === 1
}

type Usage = { files: number; bytes: number; pending: number }

/** Uploads at the same moment may pass together; how many can be under way is limited as well (under-way.ts). */
export async function requireQuota({ db }: Uses<'db'>, actor: Actor): Promise<void> {
  const [kept] = await db.driver
    .collection('media')
    .aggregate<Usage>(
      [
        { $match: { ownerId: new ObjectId(actor.id), state: { $ne: 'REMOVED' } } },
        {
          $group: {
            _id: null,
            files: { $sum: 1 },
            bytes: { $sum: '$bytes' },
            pending: { $sum: { $cond: [{ $eq: ['$state', 'PENDING'] }, 1, 0] } },
          },
        },
      ],
      { maxTimeMS: 5_000 },
    )
    .toArray()
  if (!kept) return
  const { files, bytes, pending } = QUOTAS[actor.role]
  if (kept.files >= files || kept.bytes >= bytes || kept.pending >= pending)
    throw new DomainError('QUOTA_REACHED')
}
