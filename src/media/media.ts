import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { oid, type Stored } from '../db.ts'
import type { Uses } from '../deps.ts'
import type { AssetRef, DeliveryType, ResourceType } from '../gateways/cloudinary/account.ts'
import type { Purpose } from './purposes.ts'

/** One uploaded file as we know it; what Cloudinary keeps of it is its asset. */
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
  /** Of a handout, what it is saved as. */
  fileName: string | null
  width: number | null
  height: number | null
  durationSeconds: number | null
  /** Of public pictures only; everything else is had by a link that expires. */
  url: string | null
}

/** A file as its uploader sees it. */
export function publicMedia({ cloudinary }: Uses<'cloudinary'>, media: MediaDocument): Media {
  const isPublic = media.resourceType === 'image' && media.state === 'READY'
  return {
    mediaId: media._id,
    purpose: media.purpose,
    courseId: media.courseId ?? null,
    createdAt: media.createdAt,
    state: media.state,
    bytes: media.bytes ?? null,
    format: media.format ?? null,
    fileName: media.fileName ?? null,
    width: media.width ?? null,
    height: media.height ?? null,
    durationSeconds: media.durationSeconds ?? null,
    url: isPublic ? imageUrlOf({ cloudinary }, media) : null,
  }
}

/** The files with these ids, in no order; an id without a file is left out. */
export async function findMedia({ db }: Uses<'db'>, ids: string[]): Promise<MediaDocument[]> {
  if (ids.length === 0) return []
  return db.orm.media.where(MongoFieldFilter.in('_id', ids.map(oid))).all()
}

/** Where anyone can see a public picture; with its version, so that no cache shows an earlier one. */
export function imageUrlOf({ cloudinary }: Uses<'cloudinary'>, media: MediaDocument): string {
  const { publicId, version } = media
  const { deliveryType } = assetRefOf(media)
  return cloudinary.imageUrl({ publicId, deliveryType, ...(version !== null && { version }) })
}

/** What Cloudinary knows the file by. */
export function assetRefOf(media: MediaDocument): AssetRef {
  return {
    publicId: media.publicId,
    resourceType: media.resourceType as ResourceType,
    deliveryType: media.deliveryType as DeliveryType,
  }
}
