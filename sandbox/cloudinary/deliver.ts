import { createReadStream, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { CORS, refusal } from './answers.ts'
import { checkSignature, deliveryTypeOf, type Cloud } from './cloud.ts'
import { contentTypeOf } from './formats.ts'
import { resourceTypeOf } from './manage.ts'
import { paramsOf } from './receive.ts'
import { isDeliverySigned } from './sign.ts'
import type { Asset } from './store.ts'
import { stripMetadata } from './strip.ts'

const DOWNLOAD_SECONDS = 3600
const TRANSFORMATION =
  /^(a|ac|ar|b|bo|br|c|co|cs|d|dn|dpr|du|e|eo|f|fl|fps|g|h|if|l|o|pg|q|r|so|sp|t|u|vc|w|x|y|z)_/

export type Delivery = {
  asset: Asset
  isAttachment: boolean
  fileName?: string | undefined
  /** Whether it is made of the original, and not the original itself. */
  isDerived?: boolean
}

/** `GET /v1_1/{cloud}/{resource_type}/download?…`: the expiring link on the API's host. */
export function findDownload(cloud: Cloud, kind: string, query: URLSearchParams): Delivery {
  const params = paramsOf(query)
  checkSignature(cloud, params)
  const lastSecond = params['expires_at']
    ? Number(params['expires_at'])
    : Number(params['timestamp']) + DOWNLOAD_SECONDS
  if (!(cloud.now().getTime() / 1000 <= lastSecond)) throw refusal(401, 'The URL has expired')
  const resourceType = resourceTypeOf(kind)
  const publicId = params['public_id'] ?? ''
  const type = deliveryTypeOf(params['type'])
  const asset = resourceType && cloud.store.find({ resourceType, type, publicId })
  if (!asset || !isFormat(asset, params['format'] ?? '')) {
    throw refusal(404, `Resource not found - ${publicId}`)
  }
  const isAttachment = params['attachment'] === 'true' || params['attachment'] === '1'
  return { asset, isAttachment, fileName: params['target_filename'] }
}

/** `GET /{cloud}/{resource_type}/{type}/[s--SIG--/][transformation/][vN/]public_id[.ext]` */
export function findDelivery(cloud: Cloud, segments: string[]): Delivery {
  const [cloudName, kind, typeText, ...rest] = segments
  const resourceType = resourceTypeOf(kind)
  const missing = refusal(404, `Resource not found - ${rest.at(-1) ?? ''}`)
  if (cloudName !== cloud.cloudName || !resourceType) throw missing
  const type = deliveryTypeOf(typeText)
  const signature = /^s--(.+)--$/.exec(rest[0] ?? '')?.[1]
  if (signature !== undefined) rest.shift()
  const versionAt = rest.findIndex((segment) => /^v\d+$/.test(segment))
  const first = rest.findIndex((segment) => !TRANSFORMATION.test(segment))
  const split = versionAt >= 0 ? versionAt : Math.max(first, 0)
  const transformation = rest.slice(0, split).join('/')
  const source = rest.slice(versionAt >= 0 ? split + 1 : split).join('/')
  const toSign = transformation === '' ? source : `${transformation}/${source}`
  if (signature !== undefined && !isDeliverySigned(toSign, signature, cloud.apiSecret)) {
    throw refusal(401, `Invalid signature in URL: ${signature}`)
  }
  // Of a private asset the original is closed and what is derived from it open; of an
  // authenticated one both are closed.
  const isDerived = transformation.split(/[/,]/).some((part) => !/^(fl_attachment.*|)$/.test(part))
  const needsSignature = type === 'authenticated' || (type === 'private' && !isDerived)
  if (needsSignature && signature === undefined) throw refusal(401, 'Missing signature')
  const asset = cloud.store
    .all()
    .find(
      (each) =>
        each.resourceType === resourceType && each.type === type && namesAsset(each, source),
    )
  if (!asset) throw missing
  return { asset, isAttachment: transformation.includes('fl_attachment'), isDerived }
}

function namesAsset(asset: Asset, source: string): boolean {
  if (asset.publicId === source) return true
  if (asset.resourceType === 'raw') return false
  // Without a converter here, only the format that was stored can be had.
  return (
    source.startsWith(`${asset.publicId}.`) &&
    isFormat(asset, source.slice(asset.publicId.length + 1))
  )
}

function isFormat(asset: Asset, format: string): boolean {
  return format === '' || format.replace('jpeg', 'jpg') === asset.format
}

export function sendAsset(
  request: IncomingMessage,
  response: ServerResponse,
  { asset, isAttachment, fileName, isDerived = false }: Delivery,
): void {
  const extension = asset.format === '' ? (asset.publicId.split('.')[1] ?? '') : asset.format
  const base = {
    ...CORS,
    'content-type': contentTypeOf(extension),
    'accept-ranges': 'bytes',
    etag: `"${asset.etag}"`,
    'cache-control': asset.type === 'upload' ? 'public, max-age=2592000' : 'private, no-transform',
    'x-content-type-options': 'nosniff',
    ...(isAttachment ? { 'content-disposition': dispositionOf(fileName) } : {}),
  }
  if (isDerived && asset.resourceType === 'image') {
    const derived = stripMetadata(readFileSync(asset.path), asset.format)
    const headers = { ...base, etag: `"derived-${asset.etag}"`, 'accept-ranges': 'none' }
    response.writeHead(200, { ...headers, 'content-length': derived.length })
    response.end(request.method === 'HEAD' ? undefined : derived)
    return
  }
  const range = parseRange(request.headers.range, asset.bytes)
  if (range === 'unsatisfiable') {
    response.writeHead(416, { ...base, 'content-range': `bytes */${asset.bytes}` }).end()
    return
  }
  const { start, end } = range ?? { start: 0, end: asset.bytes - 1 }
  response.writeHead(range ? 206 : 200, {
    ...base,
    'content-length': end - start + 1,
    ...(range ? { 'content-range': `bytes ${start}-${end}/${asset.bytes}` } : {}),
  })
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  const file = createReadStream(asset.path, { start, end })
  file.on('error', () => response.destroy())
  response.on('close', () => file.destroy())
  file.pipe(response)
}

function dispositionOf(fileName: string | undefined): string {
  if (fileName === undefined) return 'attachment'
  const plain = fileName.replace(/[^\x20-\x7e]|["\\]/g, '_')
  const encoded = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}

function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (!match) return undefined
  const [from = '', to = ''] = match.slice(1)
  if (from === '' && to === '') return undefined
  const start = from === '' ? Math.max(size - Number(to), 0) : Number(from)
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  return start > end || start >= size ? 'unsatisfiable' : { start, end }
}
