import type { Actor } from '../auth/sessions.ts'
import type { Uses } from '../deps.ts'
import { DomainError, type Reason } from '../errors.ts'
import type { StoredAsset } from '../gateways/cloudinary/account.ts'
import { isCloudinaryFailure } from '../gateways/cloudinary/failure.ts'
import { acceptUpload } from './accept-upload.ts'
import { attach } from './attach.ts'
import { withHandout } from './handout.ts'
import { assetRefOf, publicMedia, type Media, type MediaDocument } from './media.ts'
import { requireOwnMedia, type MediaRef } from './own-media.ts'
import { UPLOAD_RULES } from './purposes.ts'

/**
 * Accepts a direct upload if Cloudinary itself says that its file has come: no word of the uploader is taken
 * for it. Asked again, it answers the same.
 *
 * Throws NOT_FOUND (not one's own, or removed), MEDIA_NOT_READY (no file has come yet), MEDIA_GATEWAY_DOWN,
 * and FILE_TOO_LARGE or FILE_TYPE_REFUSED for a file that is not what was signed, UNAVAILABLE (the scanner).
 */
export async function confirmUpload(
  deps: Uses<'db' | 'now' | 'cloudinary' | 'log' | 'scanFile'>,
  actor: Actor,
  { mediaId }: MediaRef,
): Promise<Media> {
  const media = await requireOwnMedia(deps, actor, mediaId)
  return publicMedia(deps, await acceptPending(deps, media))
}

/**
 * PENDING → READY and attached, if the file is there; for the uploader, Cloudinary's notification and the
 * sweep. A READY file is attached once more, any other state is left as it is. Throws as `confirmUpload`
 * does.
 */
export async function acceptPending(
  deps: Uses<'db' | 'now' | 'cloudinary' | 'log' | 'scanFile'>,
  media: MediaDocument,
): Promise<MediaDocument> {
  if (media.state === 'READY') return attach(deps, media)
  if (media.state !== 'PENDING') return media
  const asset = await orGatewayDown(deps.cloudinary.describe(assetRefOf(media)))
  if (!asset) throw new DomainError('MEDIA_NOT_READY')
  return acceptUpload(deps, media, asset, await contentFaultOf(deps, media, asset))
}

/**
 * Of pictures and videos Cloudinary itself says what they are. A raw file it takes as it comes, so it is read
 * and looked at as it would have been on its way through us.
 */
async function contentFaultOf(
  deps: Uses<'cloudinary' | 'log' | 'scanFile'>,
  media: MediaDocument,
  asset: StoredAsset,
): Promise<DomainError | null> {
  const { resourceType, maxBytes } = UPLOAD_RULES[media.purpose]
  if (resourceType !== 'raw' || asset.bytes > maxBytes) return null
  try {
    const source = deps.cloudinary.readContent(assetRefOf(media), maxBytes)
    const format = await orGatewayDown(
      withHandout(deps, source, (file) => Promise.resolve(file.format)),
    )
    return format === media.format ? null : new DomainError('FILE_TYPE_REFUSED')
  } catch (error) {
    if (error instanceof DomainError && FAULTS.has(error.reason)) return error
    throw error
  }
}

const FAULTS: ReadonlySet<Reason> = new Set(['FILE_TYPE_REFUSED', 'FILE_TOO_LARGE'])

async function orGatewayDown<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (isCloudinaryFailure(error)) throw new DomainError('MEDIA_GATEWAY_DOWN', { cause: error })
    throw error
  }
}
