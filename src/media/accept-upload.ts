import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { markReady, markRemoved, assetRefOf, type MediaDocument } from './media.ts'
import type { StoredAsset } from '../gateways/cloudinary/account.ts'
import { MAX_PIXELS, UPLOAD_RULES } from './purposes.ts'
import { putToUse } from './attach.ts'

type Needs = Uses<'db' | 'now' | 'cloudinary' | 'log'>

/**
 * Takes a stored file into use, once, whoever tells of it first. What we would not have accepted ourselves,
 * or was removed while it was coming in, is removed. `contentFault` is what its bytes have against it.
 */
export async function acceptUpload(
  deps: Needs,
  media: MediaDocument,
  asset: StoredAsset,
  contentFault: DomainError | null = null,
): Promise<MediaDocument> {
  const fault = faultOf(media, asset) ?? contentFault
  if (fault) await markRemoved(deps, media._id)
  else await markReady(deps, media, asset)
  const current = await findCurrent(deps, media)
  // Also when it was ready before: whoever made it so may have ended before it was put to use.
  if (current?.state === 'READY') return use(deps, current)
  await destroyAsset(deps, media)
  throw fault ?? new DomainError('NOT_FOUND')
}

/** Puts a ready file to use and answers what has become of it: a picture may have come too late. */
export async function use(deps: Needs, media: MediaDocument): Promise<MediaDocument> {
  await putToUse(deps, media)
  return (await findCurrent(deps, media)) ?? media
}

function findCurrent({ db }: Needs, { _id }: MediaDocument): Promise<MediaDocument | null> {
  return db.orm.media.where({ _id }).first()
}

function faultOf({ purpose }: MediaDocument, asset: StoredAsset): DomainError | null {
  const { formats, maxBytes, maxSeconds, resourceType } = UPLOAD_RULES[purpose]
  if (asset.bytes > maxBytes) return new DomainError('FILE_TOO_LARGE')
  if (maxSeconds !== undefined && (asset.durationSeconds ?? 0) > maxSeconds)
    return new DomainError('FILE_TOO_LARGE')
  if ((asset.width ?? 0) * (asset.height ?? 0) > MAX_PIXELS)
    return new DomainError('FILE_TOO_LARGE')
  const isExpected = resourceType === 'raw' || formats.includes(asset.format)
  return isExpected ? null : new DomainError('FILE_TYPE_REFUSED')
}

/** Removes the file itself; what fails here, the sweep does later. */
export async function destroyAsset(
  deps: Uses<'cloudinary' | 'log'>,
  media: MediaDocument,
): Promise<boolean> {
  try {
    await deps.cloudinary.destroy(assetRefOf(media))
    return true
  } catch (error) {
    deps.log.warn({ err: error, mediaId: media._id }, 'a file could not be removed yet')
    return false
  }
}
