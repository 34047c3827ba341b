import { createHmac, timingSafeEqual } from 'node:crypto'

const SIGNATURE = /^[0-9a-f]{64}$/

/**
 * The SDK's own check compares with `===`, takes an empty secret and throws on odd input; this one
 * takes only 64 lower-case hex digits and any of several secrets, old ones included, since retries
 * of a webhook keep the signature of the secret they were first sent with.
 */
export function isWebhookSignature(
  rawBody: Uint8Array | string,
  signature: unknown,
  secrets: readonly string[],
): boolean {
  if (typeof signature !== 'string' || !SIGNATURE.test(signature)) return false
  const given = Buffer.from(signature, 'hex')
  // Every secret is tried, so that the time taken does not tell which one matched.
  return secrets.reduce((isMatch, secret) => {
    if (secret === '') return isMatch
    const right = createHmac('sha256', secret).update(rawBody).digest()
    return timingSafeEqual(right, given) || isMatch
  }, false)
}
