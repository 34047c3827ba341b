import { createHash, timingSafeEqual } from 'node:crypto'

export type Params = Readonly<Record<string, string>>

const UNSIGNED = new Set(['file', 'cloud_name', 'resource_type', 'api_key', 'signature'])

/** Version 2 escapes `&` in values; in version 1 a value may smuggle a parameter in. */
export function stringToSign(params: Params, version: 1 | 2): string {
  return Object.entries(params)
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .map((pair) => (version === 2 ? pair.replaceAll('&', '%26') : pair))
    .join('&')
}

export function isSigned(params: Params, secret: string): boolean {
  const given = params['signature'] ?? ''
  const algorithm = given.length === 64 ? 'sha256' : 'sha1'
  const signed = Object.fromEntries(Object.entries(params).filter(([key]) => !UNSIGNED.has(key)))
  return ([2, 1] as const).some((version) =>
    isEqual(given, hex(algorithm, stringToSign(signed, version) + secret)),
  )
}

/** The signature of an answer: always version 1, over the id and the version alone. */
export function answerSignature(asset: { publicId: string; version: number }, secret: string) {
  return hex('sha1', `public_id=${asset.publicId}&version=${asset.version}${secret}`)
}

export function notificationSignature(body: string, timestamp: number, secret: string): string {
  return hex('sha1', `${body}${timestamp}${secret}`)
}

/** `source` is the transformation and the public id with its extension, without the version. */
export function isDeliverySigned(source: string, given: string, secret: string): boolean {
  const urlSafe = (algorithm: string, length: number) =>
    createHash(algorithm)
      .update(source + secret)
      .digest('base64')
      .slice(0, length)
      .replaceAll('/', '_')
      .replaceAll('+', '-')
  return [urlSafe('sha1', 8), urlSafe('sha256', 8), urlSafe('sha256', 32)].some((expected) =>
    isEqual(given, expected),
  )
}

function hex(algorithm: string, text: string): string {
  return createHash(algorithm).update(text).digest('hex')
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}
