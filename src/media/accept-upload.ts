import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import type { StoredAsset } from '../gateways/cloudinary/account.ts'
import { attach } from './attach.ts'
import type { MediaDocument } from './media.ts'
import { MAX_PIXELS, UPLOAD_RULES } from './purposes.ts'
import { destroyAsset, markReady, markRemoved } from './transitions.ts'

/**
 * PENDING → READY and attached, once, whoever tells of the stored asset first: the door it came through, its
 * uploader, Cloudinary's notification or the sweep. `contentFault` is what its bytes have against it.
 *
 * Throws FILE_TOO_LARGE (too many bytes, seconds or pixels) or FILE_TYPE_REFUSED for a file that we would not
 * have taken ourselves, and NOT_FOUND for one that was removed while it was coming in. The asset is
 * destroyed.
 */
export async function acceptUpload(
  deps: Uses<'db' | 'now' | 'cloudinary' | 'log'>,
  media: MediaDocument,
  asset: StoredAsset,
  contentFault: DomainError | null = null,
): Promise<MediaDocument> {
  const fault = faultOf(media, asset) ?? contentFault
  if (fault) await markRemoved(deps, media._id)
  else await markReady(deps, media, asset)
  const current = await deps.db.orm.media.where({ _id: media._id }).first()
  // Also when it was ready before: whoever made it so may have ended before it was attached.
  if (current?.state === 'READY') return attach(deps, current)
  await destroyAsset(deps, media)
  throw fault ?? new DomainError('NOT_FOUND')
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
