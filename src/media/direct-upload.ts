import { z } from 'zod'
import type { Actor } from '../auth/sessions.ts'
import { isOwner, requireOwnCourse } from '../courses/access.ts'
import { findCourse } from '../courses/course.ts'
import type { Uses } from '../deps.ts'
import { DomainError, refuseInput } from '../errors.ts'
import { Id, orNamed } from '../fields.ts'
import {
  publicMedia,
  assetRefOf,
  requireQuota,
  registerUpload,
  type Media,
  type MediaDocument,
} from './media.ts'
import { isCloudinaryFailure } from '../gateways/cloudinary/failure.ts'
import { HEAD_BYTES, inspect } from './inspect.ts'
import { PURPOSES, UPLOAD_RULES } from './purposes.ts'
import { acceptUpload, use } from './accept-upload.ts'

export const DirectUpload = z.object({
  purpose: z.enum(PURPOSES),
  /** For everything that belongs to a course. */
  courseId: Id.optional(),
  /** For lesson-file, whose type Cloudinary takes from its id: `pdf`, `docx` … */
  format: z.string().max(10).optional(),
})
export type DirectUpload = z.infer<typeof DirectUpload>

export const MediaRef = orNamed(z.object({ mediaId: Id }), 'mediaId', 'id')
export type MediaRef = z.infer<typeof MediaRef>

export type SignedForm = {
  mediaId: string
  url: string
  /** Send these as they are, with the file in a last field named `file`. */
  fields: Record<string, string>
  maxBytes: number
  formats: string[]
}

type Needs = Uses<'db' | 'now' | 'cloudinary' | 'settings'>

/** Lets a browser send one file straight to Cloudinary: this purpose, this id, for an hour. */
export async function signDirectUpload(
  deps: Needs,
  actor: Actor,
  { purpose, courseId, format }: DirectUpload,
): Promise<SignedForm> {
  const { isOfCourse, resourceType, maxBytes, formats } = UPLOAD_RULES[purpose]
  if (isOfCourse) {
    if (courseId === undefined) refuseInput('courseId', 'is needed for this purpose')
    await requireOwnCourse(deps, actor, courseId)
  }
  const isRaw = resourceType === 'raw'
  if (isRaw && (format === undefined || !formats.includes(format)))
    refuseInput('format', `is one of ${formats.join(', ')}`)
  await requireQuota(deps, actor)
  const media = await registerUpload(deps, actor, {
    purpose,
    courseId: isOfCourse ? (courseId ?? null) : null,
    format: isRaw ? (format ?? null) : null,
  })
  const { url, fields } = deps.cloudinary.signUpload({
    ...assetRefOf(media),
    ...(!isRaw && { allowedFormats: [...formats] }),
    notificationUrl: `${deps.settings.appUrl}/webhooks/cloudinary`,
  })
  return { mediaId: media._id, url, fields, maxBytes, formats: [...formats] }
}

/** Asks Cloudinary itself whether the file has come: no word of the sender is taken for it. */
export async function confirmUpload(
  deps: Uses<'db' | 'now' | 'cloudinary' | 'log'>,
  actor: Actor,
  { mediaId }: MediaRef,
): Promise<Media> {
  const media = await requireOwnMedia(deps, actor, mediaId)
  return publicMedia(deps, await acceptPending(deps, media))
}

/** PENDING → READY and in use if the file is there; used by its sender, by the notification and by the sweep. */
export async function acceptPending(
  deps: Uses<'db' | 'now' | 'cloudinary' | 'log'>,
  media: MediaDocument,
): Promise<MediaDocument> {
  if (media.state === 'READY') return use(deps, media)
  if (media.state !== 'PENDING') return media
  const asset = await orGatewayDown(deps.cloudinary.describe(assetRefOf(media)))
  if (!asset) throw new DomainError('MEDIA_NOT_READY')
  return acceptUpload(deps, media, asset, await contentFaultOf(deps, media))
}

/**
 * Of pictures and films Cloudinary itself says what they are. A raw file it takes as it comes, so its first
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

/** What one uploaded oneself, or anyone did for one's own course; an administrator may have all. */
export async function requireOwnMedia(
  { db }: Uses<'db'>,
  actor: Actor,
  mediaId: string,
): Promise<MediaDocument> {
  const media = await db.orm.media.where({ _id: mediaId }).first()
  if (!media || media.state === 'REMOVED') throw new DomainError('NOT_FOUND')
  const isOwn = media.ownerId === actor.id || actor.role === 'ADMIN'
  if (isOwn || (await isOfOwnCourse({ db }, actor, media))) return media
  throw new DomainError('NOT_FOUND')
}

async function isOfOwnCourse(
  { db }: Uses<'db'>,
  actor: Actor,
  { courseId }: MediaDocument,
): Promise<boolean> {
  const course = courseId === null ? null : await findCourse(db, { _id: courseId })
  return course !== null && isOwner(course, actor)
}
