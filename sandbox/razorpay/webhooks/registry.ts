import type { Account } from '../model/account.ts'
import type { WebhookEntity } from '../model/entities.ts'
import type { Body } from '../api/input.ts'
import { readObject } from '../api/input.ts'
import type { Collection } from '../api/lists.ts'
import { collect } from '../api/lists.ts'
import { Refusal, refuseExtraFields } from '../model/refusal.ts'
import type { Sender } from './sender.ts'

export const EVENTS = [
  'payment.authorized',
  'payment.captured',
  'payment.failed',
  'order.paid',
  'refund.created',
  'refund.processed',
  'refund.failed',
  'refund.speed_changed',
  'payment.dispute.created',
  'payment.dispute.under_review',
  'payment.dispute.action_required',
  'payment.dispute.won',
  'payment.dispute.lost',
  'payment.dispute.closed',
]

export function createWebhook(account: Account, sender: Sender, body: Body): WebhookEntity {
  refuseExtraFields(body, ['url', 'secret', 'alert_email', 'active', 'events'])
  const { url, secret, active } = body
  if (typeof url !== 'string' || !URL.canParse(url)) {
    throw new Refusal('The url format is invalid.', { field: 'url' })
  }
  if (account.endpoints.length >= 30) throw new Refusal('Webhooks limit of 30 reached')
  const asked = Object.entries(readObject(body['events'], 'events'))
  const events = asked.filter(([, wanted]) => wanted === true).map(([name]) => name)
  const unknown = events.find((name) => !EVENTS.includes(name))
  if (unknown !== undefined)
    throw new Refusal(`Invalid event name: ${unknown}`, { field: 'events' })
  const endpoint = sender.addEndpoint(url, typeof secret === 'string' ? secret : '', events)
  endpoint.webhook.active = active !== false
  return endpoint.webhook
}

export function listWebhooks(account: Account): Collection<WebhookEntity> {
  return collect(account.endpoints.map(({ webhook }) => webhook))
}
