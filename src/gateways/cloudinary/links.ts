import { createHash, timingSafeEqual } from 'node:crypto'
import { v2 as cloudinary } from 'cloudinary'
import { checkPublicId, timestampOf, type Account, type AssetRef } from './account.ts'

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

export type Playback = AssetRef & { format: string; expiresAt: Date; isAttachment?: boolean }

/**
 * A link on the API's host, because signed delivery links never expire. It shows the api key, which
 * is no secret; the secret only signs.
 */
export function playbackUrl({ credentials, now }: Account, playback: Playback): string {
  checkPublicId(playback.publicId)
  const options = {
    ...credentials,
    resource_type: playback.resourceType,
    type: playback.deliveryType,
    expires_at: timestampOf(playback.expiresAt),
    timestamp: timestampOf(now()),
    ...(playback.isAttachment === true && { attachment: true }),
  }
  return cloudinary.utils.private_download_url(playback.publicId, playback.format, options)
}

export type PublicImage = { publicId: string; version?: number; width?: number; height?: number }

/** The address of a public picture. */
export function imageUrl({ credentials, delivery }: Account, image: PublicImage): string {
  checkPublicId(image.publicId)
  const { width, height, version } = image
  const isResized = width !== undefined || height !== undefined
  return cloudinary.url(image.publicId, {
    ...credentials,
    ...delivery,
    resource_type: 'image',
    type: 'upload',
    ...(version !== undefined && { version }),
    ...(isResized && { crop: 'fill', width, height }),
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
