import type { Readable } from 'node:stream'
import { v2 as cloudinary } from 'cloudinary'
import { z } from 'zod'
import {
  callSdk,
  checkPublicId,
  readAccount,
  readAsset,
  type Account,
  type AccountOptions,
  type AssetRef,
  type StoredAsset,
} from './account.ts'
import { readContent } from './content.ts'
import { failure, isCloudinaryFailure } from './failure.ts'
import {
  imageUrl,
  isNotificationSignature,
  playbackUrl,
  signUpload,
  type Notification,
  type Playback,
  type PublicImage,
  type SignedUpload,
  type UploadGrant,
} from './links.ts'
import { uploadStream, type UploadTarget } from './upload.ts'

// A person waits for these; an upload's chunk may take as long as the account allows.
const ADMIN_TIMEOUT_MS = 10_000

/** The one door to Cloudinary. Every failure is a CloudinaryFailure. */
export type Cloudinary = {
  upload(source: Readable, target: UploadTarget): Promise<StoredAsset>
  /** Null when there is no such asset. */
  describe(asset: AssetRef): Promise<StoredAsset | null>
  /** A raw file of so many bytes at most, as it is stored. */
  readContent(asset: AssetRef, most: number): Readable
  /** Succeeds when the asset is gone, whoever removed it. */
  destroy(asset: AssetRef): Promise<void>
  signUpload(grant: UploadGrant): SignedUpload
  playbackUrl(playback: Playback): string
  imageUrl(image: PublicImage): string
  isNotificationSignature(notification: Notification): boolean
}

/**
 * Opens Cloudinary. Nothing is asked of it before the first call; a call takes 60 seconds at most by default.
 */
export function openCloudinary(options: AccountOptions): Cloudinary {
  const account = readAccount(options)
  return {
    upload: (source, target) => uploadStream(account, source, target),
    describe: (asset) => describe(account, asset),
    readContent: (asset, most) => readContent(account, asset, most),
    destroy: (asset) => destroy(account, asset),
    signUpload: (grant) => signUpload(account, grant),
    playbackUrl: (playback) => playbackUrl(account, playback),
    imageUrl: (image) => imageUrl(account, image),
    isNotificationSignature: (notification) => isNotificationSignature(account, notification),
  }
}

async function describe(account: Account, asset: AssetRef): Promise<StoredAsset | null> {
  checkPublicId(asset.publicId)
  try {
    const body = await callSdk(account, adminLimits(account), (options) =>
      cloudinary.api.resource(asset.publicId, { ...options, ...sdkRef(asset) }),
    )
    return readAsset(body, asset)
  } catch (error) {
    if (isCloudinaryFailure(error) && error.status === 404) return null
    throw error
  }
}

const Deletion = z.object({ deleted: z.record(z.string(), z.string()) })

/**
 * By the Admin API: the Upload API's destroy is stamped by the SDK with the machine's clock, which
 * Cloudinary refuses when it is an hour off, and not with the time we are given.
 */
async function destroy(account: Account, asset: AssetRef): Promise<void> {
  checkPublicId(asset.publicId)
  const body = await callSdk(account, adminLimits(account), (options) =>
    cloudinary.api.delete_resources([asset.publicId], {
      ...options,
      ...sdkRef(asset),
      invalidate: true,
    }),
  )
  const result = Deletion.safeParse(body).data?.deleted[asset.publicId]
  if (result !== 'deleted' && result !== 'not_found') {
    throw failure('nonsense', { detail: 'not deleted' })
  }
}

function sdkRef(asset: AssetRef) {
  return { resource_type: asset.resourceType, type: asset.deliveryType }
}

function adminLimits({ timeoutMs }: Account) {
  return { timeoutMs: Math.min(timeoutMs, ADMIN_TIMEOUT_MS) }
}
