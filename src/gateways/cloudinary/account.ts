import http from 'node:http'
import https from 'node:https'
import { v2 as cloudinary } from 'cloudinary'
import { z } from 'zod'
import { failure, toFailure } from './failure.ts'

// Otherwise the SDK hangs `key:secret` on the errors of its Admin API.
cloudinary.config({ hide_sensitive: true })

export type ResourceType = 'image' | 'video' | 'raw'
/** Of a `private` file the original is had by a signature alone, and what is derived of it by anybody. */
export type DeliveryType = 'upload' | 'private' | 'authenticated'

export type AssetRef = {
  publicId: string
  resourceType: ResourceType
  deliveryType: DeliveryType
}

export type StoredAsset = AssetRef & {
  version: number
  /** As Cloudinary read it from the bytes; empty for raw files. */
  format: string
  bytes: number
  width?: number
  height?: number
  /** Whole seconds. */
  durationSeconds?: number
}

/** What CLOUDINARY_URL says: `cloudinary://key:secret@cloud?option=…`. */
export type Account = {
  credentials: {
    cloud_name: string
    api_key: string
    api_secret: string
    upload_prefix: string
    signature_algorithm: 'sha1' | 'sha256'
  }
  /** Cloudinary chooses what it signs notifications with: SHA-1, unless the account takes SHA-256 alone. */
  notificationAlgorithms: readonly ('sha1' | 'sha256')[]
  delivery: {
    secure: boolean
    cname?: string
    private_cdn: boolean
    secure_distribution?: string
  }
  timeoutMs: number
  now: () => Date
}

export type AccountOptions = { url: string; timeoutMs?: number; now: () => Date }

/** Reads CLOUDINARY_URL; throws for what is none. */
export function readAccount({ url, timeoutMs = 60_000, now }: AccountOptions): Account {
  const { protocol, hostname, username, password, searchParams } = new URL(url)
  if (protocol !== 'cloudinary:' || !hostname || !username || !password) {
    throw new Error('CLOUDINARY_URL must look like cloudinary://key:secret@cloud')
  }
  const cname = searchParams.get('cname')
  const distribution = searchParams.get('secure_distribution')
  const algorithm = searchParams.get('signature_algorithm')
  return {
    credentials: {
      cloud_name: hostname,
      api_key: decodeURIComponent(username),
      api_secret: decodeURIComponent(password),
      upload_prefix: searchParams.get('upload_prefix') ?? 'https://api.cloudinary.com',
      // Every account takes both, unless it was limited to SHA-256.
      signature_algorithm: algorithm === 'sha1' ? 'sha1' : 'sha256',
    },
    notificationAlgorithms: algorithm === 'sha256' ? ['sha256'] : ['sha256', 'sha1'],
    delivery: {
      // The SDK uses a cname for plain http only, and https everywhere else.
      secure: cname === null,
      ...(cname !== null && { cname }),
      private_cdn: searchParams.get('private_cdn') === 'true',
      ...(distribution !== null && { secure_distribution: distribution }),
    },
    timeoutMs,
    now,
  }
}

/** Seconds since 1970, as Cloudinary signs them. */
export function timestampOf(date: Date): number {
  return Math.floor(date.getTime() / 1000)
}

/** Ids are ours alone: the SDK lets `%2e%2e` through as `..` and fails on a lone `%`. */
export function checkPublicId(publicId: string): void {
  const isOurs = /^[\w-]+(?:[/.][\w-]+)*$/.test(publicId) && publicId.length <= 200
  if (!isOurs) throw new Error('A public id must be made by the server of letters, digits, _ - . /')
}

type Limits = { timeoutMs: number; signal?: AbortSignal }
type CallOptions = Account['credentials'] & { agent: http.Agent; timeout: number }

/**
 * Runs one call of the SDK on a connection of its own. Destroying that connection's agent is the
 * only way to stop a call: the Admin API ignores `timeout`, and an upload whose stream is destroyed
 * goes on waiting. The agent also decides between http and https, which the SDK otherwise does once
 * and for all from the environment.
 */
export async function callSdk(
  { credentials }: Account,
  { timeoutMs, signal }: Limits,
  run: (options: CallOptions) => Promise<unknown>,
): Promise<unknown> {
  if (signal?.aborted) throw failure('aborted')
  const isPlain = credentials.upload_prefix.startsWith('http:')
  const agent = isPlain ? new http.Agent() : new https.Agent()
  let stop: (kind: 'timeout' | 'aborted') => void = () => undefined
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = (kind) => {
      reject(failure(kind))
    }
  })
  const timer = setTimeout(() => {
    stop('timeout')
  }, timeoutMs)
  const abort = () => {
    stop('aborted')
  }
  signal?.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([run({ ...credentials, agent, timeout: timeoutMs }), stopped])
  } catch (error) {
    throw toFailure(error)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
    agent.destroy()
  }
}

const AssetBody = z.object({
  public_id: z.string(),
  resource_type: z.enum(['image', 'video', 'raw']),
  type: z.enum(['upload', 'private', 'authenticated']),
  version: z.number().int(),
  format: z.string().optional(),
  bytes: z.number().int().nonnegative(),
  width: z.number().int().positive().optional(),
  height: z.number().int().positive().optional(),
  duration: z.number().nonnegative().optional(),
})

/** Refuses an answer about another asset: nothing of it may be linked to ours. */
export function readAsset(body: unknown, expected: AssetRef): StoredAsset {
  const parsed = AssetBody.safeParse(body)
  if (!parsed.success) throw failure('nonsense', { detail: 'not an asset' })
  const { public_id, resource_type, type, width, height, duration, ...rest } = parsed.data
  const isExpected =
    public_id === expected.publicId &&
    resource_type === expected.resourceType &&
    type === expected.deliveryType
  if (!isExpected) throw failure('nonsense', { detail: 'another asset' })
  return {
    publicId: public_id,
    resourceType: resource_type,
    deliveryType: type,
    version: rest.version,
    format: rest.format ?? '',
    bytes: rest.bytes,
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    ...(duration !== undefined && { durationSeconds: Math.round(duration) }),
  }
}
