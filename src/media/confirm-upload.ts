import type { Actor } from '../auth/sessions.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { isCloudinaryFailure } from '../gateways/cloudinary/failure.ts'
import { acceptUpload } from './accept-upload.ts'
import { attach } from './attach.ts'
import { HEAD_BYTES, inspect } from './inspect.ts'
import { assetRefOf, publicMedia, type Media, type MediaDocument } from './media.ts'
import { requireOwnMedia, type MediaRef } from './own-media.ts'
import { UPLOAD_RULES } from './purposes.ts'

/**
 * Accepts a direct upload if Cloudinary itself says that its file has come: no word of the uploader is taken
 * for it. Asked again, it answers the same.
 *
 * Throws NOT_FOUND (not one's own, or removed), MEDIA_NOT_READY (no file has come yet), MEDIA_GATEWAY_DOWN,
 * and FILE_TOO_LARGE or FILE_TYPE_REFUSED for a file that is not what was signed.
 */
export async function confirmUpload(
  deps: Uses<'db' | 'now' | 'cloudinary' | 'log'>,
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
  deps: Uses<'db' | 'now' | 'cloudinary' | 'log'>,
  media: MediaDocument,
): Promise<MediaDocument> {
  if (media.state === 'READY') return attach(deps, media)
  if (media.state !== 'PENDING') return media
  const asset = await orGatewayDown(deps.cloudinary.describe(assetRefOf(media)))
  if (!asset) throw new DomainError('MEDIA_NOT_READY')
  return acceptUpload(deps, media, asset, await contentFaultOf(deps, media))
}

/**
 * Of pictures and videos Cloudinary itself says what they are. A raw file it takes as it comes, so its first
 * bytes are read as they would have been on their way through us.
 */
async function contentFaultOf(
  { cloudinary }: Uses<'cloudinary'>,
  media: MediaDocument,
): Promise<DomainError | null> {
  if (UPLOAD_RULES[media.purpose].resourceType !== 'raw') return null
  const head = await orGatewayDown(cloudinary.readHead(assetRefOf(media), HEAD_BYTES))
  try {
    const { format } = await inspect(head, media.purpose)
    return format === media.format ? null : new DomainError('FILE_TYPE_REFUSED')
  } catch (error) {
    if (error instanceof DomainError) return error
    throw error
  }
}

async function orGatewayDown<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (isCloudinaryFailure(error)) throw new DomainError('MEDIA_GATEWAY_DOWN', { cause: error })
    throw error
  }
}
