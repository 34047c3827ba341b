import { createHmac } from 'node:crypto'
import type { Account, WebhookEvent } from '../model/account.ts'
import { unixSeconds } from '../model/entities.ts'

/** A made-up event, with whatever a forger would choose. */
export type ForgedEvent = WebhookEvent & {
  accountId?: string | undefined
  eventId?: string | undefined
  /** Sign with this instead of the endpoint's secret. */
  secret?: string | undefined
}

/** The request body, in Razorpay's own key order and minified: receivers hash these very bytes. */
export function writeBody(account: Account, event: ForgedEvent): string {
  return JSON.stringify({
    entity: 'event',
    account_id: event.accountId ?? account.id,
    event: event.name,
    contains: Object.keys(event.payload),
    payload: event.payload,
    created_at: unixSeconds(account.now()),
  })
}

/** What goes into X-Razorpay-Signature: the HMAC of the body under the endpoint's secret, in hex. */
export function signWebhook(secret: string, body: string): string {
  return createHmac('sha256', secret).update(body).digest('hex')
}
