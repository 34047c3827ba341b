import type { IncomingMessage } from 'node:http'
import { errorAnswer, refusal, type Answer } from './answers.ts'
import type { Faults } from './faults.ts'
import { answerSignature, isSigned, type Params } from './sign.ts'
import type { Asset, DeliveryType, Store } from './store.ts'

export type LoggedRequest = {
  method: string
  /** Without the query: it may hold a signature. */
  path: string
  action: string
  status?: number
  /** The client left before its request was read or answered. */
  aborted: boolean
  uploadId?: string
  range?: string
  receivedBytes: number
}

/** One account: what every route works on. */
export type Cloud = {
  cloudName: string
  apiKey: string
  apiSecret: string
  now: () => Date
  store: Store
  faults: Faults
  requests: LoggedRequest[]
  sessions: Map<string, ChunkSession>
  /** The origin it listens on, for the links in its answers. */
  origin: () => string
  /** Work that goes on after an answer: notifications. */
  pending: Set<Promise<void>>
}

export type ChunkSession = {
  publicId: string
  parts: { start: number; end: number; path: string }[]
}

const STALE_SECONDS = 3600

/** The Upload API takes a signature or, as the Admin API does, Basic credentials. */
export function checkUploadCredentials(
  cloud: Cloud,
  request: IncomingMessage,
  params: Params,
): void {
  if (request.headers.authorization !== undefined) {
    checkBasic(cloud, request)
    return
  }
  for (const name of ['api_key', 'timestamp', 'signature']) {
    if (!params[name]) throw refusal(400, `Missing required parameter - ${name}`)
  }
  checkSignature(cloud, params)
  checkFresh(cloud, Number(params['timestamp']))
}

export function checkSignature(cloud: Cloud, params: Params): void {
  if (params['api_key'] !== cloud.apiKey) {
    throw refusal(401, `Unknown API key ${params['api_key'] ?? ''}`)
  }
  if (!isSigned(params, cloud.apiSecret)) {
    const shown = Object.entries(params)
      .filter(([key]) => key !== 'signature' && key !== 'api_key')
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => `${key}=${value}`)
      .join('&')
    throw refusal(
      401,
      `Invalid Signature ${params['signature'] ?? ''}. String to sign - '${shown}'.`,
    )
  }
}

function checkFresh(cloud: Cloud, timestamp: number): void {
  if (!Number.isInteger(timestamp)) throw refusal(400, 'Invalid timestamp')
  if (cloud.now().getTime() / 1000 - timestamp > STALE_SECONDS) {
    const reported = new Date(timestamp * 1000).toISOString().slice(0, 19).replace('T', ' ')
    throw refusal(
      400,
      `Stale request - reported time is ${reported} UTC which is more than 1 hour ago`,
    )
  }
}

export function checkBasic(cloud: Cloud, request: IncomingMessage): void {
  const expected = Buffer.from(`${cloud.apiKey}:${cloud.apiSecret}`).toString('base64')
  if (request.headers.authorization !== `Basic ${expected}`) {
    throw refusal(401, 'Invalid credentials')
  }
}

export function deliveryTypeOf(text: string | undefined): DeliveryType {
  const type = text ?? 'upload'
  if (type !== 'upload' && type !== 'private' && type !== 'authenticated') {
    throw refusal(400, `Invalid type ${type}`)
  }
  return type
}

export function notFound(publicId: string): Answer {
  return errorAnswer(404, `Resource not found - ${publicId}`)
}

/** An asset as the Upload and Admin APIs show it. */
export function assetBody(cloud: Cloud, asset: Asset): Record<string, unknown> {
  const file = asset.format === '' ? asset.publicId : `${asset.publicId}.${asset.format}`
  const path = `${cloud.cloudName}/${asset.resourceType}/${asset.type}/v${asset.version}/${file}`
  return {
    asset_id: asset.assetId,
    public_id: asset.publicId,
    version: asset.version,
    signature: answerSignature(asset, cloud.apiSecret),
    ...(asset.width === undefined ? {} : { width: asset.width, height: asset.height }),
    ...(asset.format === '' ? {} : { format: asset.format }),
    resource_type: asset.resourceType,
    created_at: asset.createdAt,
    tags: asset.tags,
    ...(asset.resourceType === 'image' ? { pages: 1 } : {}),
    bytes: asset.bytes,
    type: asset.type,
    etag: asset.etag,
    placeholder: false,
    url: `${cloud.origin()}/${path}`,
    secure_url: `${cloud.origin()}/${path}`,
    access_mode: asset.type === 'upload' ? 'public' : 'authenticated',
    ...(asset.duration === undefined
      ? {}
      : { duration: asset.duration, is_audio: asset.width === undefined, video: {}, audio: {} }),
    ...(asset.eager.length === 0
      ? {}
      : { eager: asset.eager.map((transformation) => ({ transformation, url: '' })) }),
  }
}
