import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { assetRefOf, type MediaDocument } from './media.ts'

const PLAYBACK_SECONDS = 10 * 60

export type Playback = { url: string; expiresAt: Date }

/**
 * A link to a video or a file, for ten minutes, for whom `requireLesson` let through; it is signed, so nobody
 * can change it. Throws MEDIA_NOT_READY.
 */
export function playbackOf(
  { cloudinary, now }: Uses<'cloudinary' | 'now'>,
  media: MediaDocument,
): Playback {
  if (media.state !== 'READY') throw new DomainError('MEDIA_NOT_READY')
  const expiresAt = new Date(now().getTime() + PLAYBACK_SECONDS * 1000)
  const isFile = media.purpose === 'lesson-file'
  const url = cloudinary.playbackUrl({
    ...assetRefOf(media),
    // A raw file's id has its extension already.
    format: isFile ? '' : (media.format ?? ''),
    expiresAt,
    isAttachment: isFile,
    ...(isFile && media.fileName !== null && { fileName: media.fileName }),
  })
  return { url, expiresAt }
}
