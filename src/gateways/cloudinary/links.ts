import { createHash, timingSafeEqual } from 'node:crypto'
import { v2 as cloudinary } from 'cloudinary'
import {
  checkPublicId,
  timestampOf,
  type Account,
  type AssetRef,
  type DeliveryType,
} from './account.ts'

export type SignedUpload = {
  url: string
  /** Form fields to send as they are, with the file in a last field named `file`. */
  fields: Record<string, string>
}

export type UploadGrant = AssetRef & {
  allowedFormats?: string[]
  notificationUrl?: string
}

/** Lets a browser send one file straight to Cloudinary, for an hour, under this id only. */
export function signUpload(account: Account, grant: UploadGrant): SignedUpload {
  checkPublicId(grant.publicId)
  const { credentials, now } = account
  const signed = cloudinary.utils.sign_request(
    {
      timestamp: timestampOf(now()),
      public_id: grant.publicId,
      type: grant.deliveryType,
      // The grant outlives the upload: what was checked and linked must not be replaced with it.
      overwrite: 'false',
      allowed_formats: grant.allowedFormats?.join(','),
      notification_url: grant.notificationUrl,
    },
    credentials,
  )
  const fields = Object.entries(signed).map(([name, value]) => [name, String(value)])
  return {
    url: cloudinary.utils.api_url('upload', { ...credentials, resource_type: grant.resourceType }),
    fields: Object.fromEntries(fields) as Record<string, string>,
  }
}

export type Playback = AssetRef & {
  format: string
  expiresAt: Date
  isAttachment?: boolean
  /** What an attachment is saved as. */
  fileName?: string
}

/**
 * A link on the API's host, because signed delivery links never expire. It shows the api key, which
 * is no secret; the secret only signs. By hand, as the SDK's own has no name for what is downloaded.
 */
export function playbackUrl({ credentials, now }: Account, playback: Playback): string {
  checkPublicId(playback.publicId)
  const { publicId, format, resourceType, isAttachment = false, fileName } = playback
  const signed = cloudinary.utils.sign_request(
    {
      timestamp: timestampOf(now()),
      public_id: publicId,
      format,
      type: playback.deliveryType,
      expires_at: timestampOf(playback.expiresAt),
      ...(isAttachment && { attachment: true }),
      ...(isAttachment && fileName !== undefined && { target_filename: fileName }),
    },
    credentials,
  )
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(signed)) query.set(name, String(value))
  const url = cloudinary.utils.api_url('download', { ...credentials, resource_type: resourceType })
  return `${url}?${query.toString()}`
}

export type PublicImage = {
  publicId: string
  deliveryType: DeliveryType
  version?: number
  width?: number
  height?: number
}

const MOST_PIXELS_A_SIDE = 2_560

/**
 * The address of a picture that anybody may see. Always of one that is derived: Cloudinary takes the camera's
 * notes (place, owner, serial number) out of those, and never out of an original.
 */
export function imageUrl({ credentials, delivery }: Account, image: PublicImage): string {
  checkPublicId(image.publicId)
  const { width, height, version } = image
  const isResized = width !== undefined || height !== undefined
  return cloudinary.url(image.publicId, {
    ...credentials,
    ...delivery,
    resource_type: 'image',
    type: image.deliveryType,
    ...(version !== undefined && { version }),
    ...(isResized
      ? { crop: 'fill', width, height }
      : { crop: 'limit', width: MOST_PIXELS_A_SIDE, height: MOST_PIXELS_A_SIDE }),
    // Accounts with strict transformations refuse a size that is not signed.
    sign_url: true,
    urlAnalytics: false,
  })
}

const MAX_AGE_SECONDS = 2 * 60 * 60
const MAX_SKEW_SECONDS = 5 * 60

export type Notification = { rawBody: Buffer | string; timestamp: string; signature: string }

/** The SDK's own check compares with `===` and takes a time in the future. */
export function isNotificationSignature(
  { credentials, notificationAlgorithms, now }: Account,
  { rawBody, timestamp, signature }: Notification,
): boolean {
  if (!/^\d{1,15}$/.test(timestamp)) return false
  const age = timestampOf(now()) - Number(timestamp)
  if (age > MAX_AGE_SECONDS || age < -MAX_SKEW_SECONDS) return false
  const given = Buffer.from(signature)
  return notificationAlgorithms.some((algorithm) => {
    const expected = createHash(algorithm)
      .update(rawBody)
      .update(timestamp + credentials.api_secret)
      .digest('hex')
    return given.length === expected.length && timingSafeEqual(given, Buffer.from(expected))
  })
}
