import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Delivery } from '../model/account.ts'

type Pace = { slowMs: number; timeoutMs: number }

/** One delivery, with the headers seen on real ones; redirects count as failures. */
export function postWebhook(
  url: string,
  delivery: Delivery,
  pace: Pace,
): Promise<{ status: number | null; error: string | null }> {
  const body = Buffer.from(delivery.body)
  return new Promise((resolve) => {
    const send = url.startsWith('https:') ? requestHttps : requestHttp
    const request = send(url, {
      method: 'POST',
      agent: false,
      headers: {
        'User-Agent': 'Razorpay-Webhook/v1',
        'Content-Type': 'application/json',
        'X-Razorpay-Signature': delivery.signature,
        'X-Razorpay-Event-Id': delivery.eventId,
        'Request-Id': delivery.eventId,
        'Accept-Encoding': 'gzip',
        'Content-Length': body.length,
      },
    })
    const deadline = setTimeout(
      () => request.destroy(new Error('no answer in time')),
      pace.timeoutMs + pace.slowMs,
    )
    request.on('response', (response) => {
      clearTimeout(deadline)
      response.resume()
      response.on('error', () => undefined)
      resolve({ status: response.statusCode ?? null, error: null })
    })
    request.on('error', (error) => {
      clearTimeout(deadline)
      resolve({ status: null, error: error.message })
    })
    if (pace.slowMs === 0) {
      request.end(body)
      return
    }
    const half = body.length >> 1
    request.write(body.subarray(0, half))
    setTimeout(() => request.end(body.subarray(half)), pace.slowMs)
  })
}
