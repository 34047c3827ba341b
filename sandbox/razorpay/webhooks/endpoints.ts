import type { Account, Delivery, Endpoint } from '../model/account.ts'
import { collect, type Collection } from '../model/collections.ts'
import { newId, unixSeconds, type WebhookEntity } from '../model/entities.ts'
import { readObject, type Body } from '../model/fields.ts'
import { Refusal, refuseExtraFields } from '../model/refusal.ts'

/** Every event an endpoint can ask for. */
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

type NewEndpoint = { url: string; secret: string; events: string[]; active: boolean }

/** An address that is sent these events from now on, signed with its own secret. */
export function addEndpoint(account: Account, { secret, ...wanted }: NewEndpoint): Endpoint {
  const endpoint: Endpoint = {
    secret,
    webhook: {
      id: newId('acc').slice(4),
      entity: 'webhook',
      url: wanted.url,
      active: wanted.active,
      secret_exists: true,
      events: wanted.events,
      created_at: unixSeconds(account.now()),
    },
  }
  account.endpoints.push(endpoint)
  return endpoint
}

/** Where a delivery goes. */
export function findEndpoint(
  account: Account,
  { endpointId }: Pick<Delivery, 'endpointId'>,
): Endpoint | undefined {
  return account.endpoints.find(({ webhook }) => webhook.id === endpointId)
}

/** Whether the endpoint asked for events of this name. */
export function isSubscribed({ webhook }: Endpoint, name: string): boolean {
  return webhook.events.includes(name)
}

/** POST /webhooks: a merchant's key may register up to thirty. */
export function createWebhook(account: Account, body: Body): WebhookEntity {
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
  return addEndpoint(account, {
    url,
    secret: typeof secret === 'string' ? secret : '',
    events,
    active: active !== false,
  }).webhook
}

/** GET /webhooks: all of them, on one page. */
export function listWebhooks(account: Account): Collection<WebhookEntity> {
  return collect(account.endpoints.map(({ webhook }) => webhook))
}
