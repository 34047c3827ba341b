import { randomUUID } from 'node:crypto'
import { assetBody, type Cloud } from './cloud.ts'
import { notificationSignature, type Params } from './sign.ts'
import type { Asset } from './store.ts'

export function notifyUpload(cloud: Cloud, asset: Asset, params: Params): void {
  const url = params['notification_url']
  if (!url) return
  const body = { notification_type: 'upload', ...stamp(cloud), ...assetBody(cloud, asset) }
  post(cloud, url, body)
}

/** The derived files are "ready" at once, told after the answer as the real service does. */
export function notifyEager(cloud: Cloud, asset: Asset, params: Params): void {
  const eager = params['eager']?.split('|') ?? []
  const ready = cloud.store.change(asset, { eager })
  const url = params['eager_notification_url'] ?? params['notification_url']
  if (!url) return
  post(cloud, url, {
    notification_type: 'eager',
    ...stamp(cloud),
    batch_id: randomUUID(),
    public_id: ready.publicId,
    eager: eager.map((transformation) => ({ transformation, status: 'complete' })),
  })
}

function stamp(cloud: Cloud) {
  return { timestamp: cloud.now().toISOString(), request_id: randomUUID().replaceAll('-', '') }
}

function post(cloud: Cloud, url: string, value: unknown): void {
  const fault = cloud.faults.take('notification')
  if (fault?.kind === 'drop') return
  const body = JSON.stringify(value)
  const timestamp = Math.floor(cloud.now().getTime() / 1000)
  const secret = fault?.kind === 'forge' ? 'not the secret' : cloud.apiSecret
  const request = {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-cld-timestamp': String(timestamp),
      'x-cld-signature': notificationSignature(body, timestamp, secret),
    },
    signal: AbortSignal.timeout(10_000),
  }
  for (let copy = 0; copy < (fault?.kind === 'duplicate' ? 2 : 1); copy += 1) {
    const sent = fetch(url, request).then(
      (response) => void response.body?.cancel(),
      () => undefined,
    )
    cloud.pending.add(sent)
    void sent.then(() => cloud.pending.delete(sent))
  }
}
