import { createHmac } from 'node:crypto'
import type { Account, Delivery, Endpoint, WebhookEvent } from '../model/account.ts'
import type { WebhookEntity } from '../model/entities.ts'
import { newId, randomToken, unixSeconds } from '../model/entities.ts'
import { nextRetryMs } from './ladder.ts'
import { postWebhook } from './post.ts'

/** How webhooks travel; every field may be changed at any time. */
export type WebhookKnobs = {
  /** Event names that are never sent. */
  drop: 'none' | 'all' | readonly string[]
  /** How many times each event is sent. */
  copies: number
  /** Order within the events of one occurrence. */
  order: 'natural' | 'reversed' | 'shuffled'
  /** Wait this long before the first try. */
  delayMs: number
  /** Pause this long in the middle of the request body. */
  slowMs: number
  /** Send everything that is due at once instead of one after the other. */
  parallel: boolean
  /** Keep new events back until deliverAll or release. */
  hold: boolean
  /** Razorpay counts an answer later than this as a failure. */
  timeoutMs: number
}

export type Sender = {
  knobs: WebhookKnobs
  addEndpoint: (url: string, secret: string, events: string[]) => Endpoint
  /** A made-up event, for what Razorpay does not send by itself. */
  send: (event: ForgedEvent) => Delivery[]
  /** Sends what is due by the clock; resolves when it has been answered. */
  tick: () => Promise<void>
  /** Sends everything not delivered yet, held, delayed or waiting for a retry. */
  deliverAll: () => Promise<void>
  /** Ends hold: what was kept back becomes due. */
  release: () => void
  /** Resolves when nothing is under way or due. */
  settle: () => Promise<void>
  /** The dashboard's button: signs anew with the current secret and enables the endpoint again. */
  replay: (eventId: string) => Promise<void>
  close: () => void
}

export type ForgedEvent = WebhookEvent & {
  accountId?: string | undefined
  eventId?: string | undefined
  /** Sign with this instead of the endpoint's secret. */
  secret?: string | undefined
}

export function openSender(account: Account, onChange: () => void): Sender {
  const knobs: WebhookKnobs = {
    drop: 'none',
    copies: 1,
    order: 'natural',
    delayMs: 0,
    slowMs: 0,
    parallel: false,
    hold: false,
    timeoutMs: 5_000,
  }
  // What still has to arrive; the account keeps the whole history.
  const pending = new Set<Delivery>()
  let running: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function queue(event: ForgedEvent, isWanted = wants(event.name)): Delivery[] {
    const eventId = event.eventId ?? randomToken()
    const queued = account.endpoints
      .filter(({ webhook }) => webhook.active && isWanted(webhook))
      .flatMap((endpoint) => Array.from({ length: knobs.copies }, () => endpoint))
      .map((endpoint): Delivery => {
        const body = writeBody(account, event)
        const isDropped =
          knobs.drop === 'all' || (knobs.drop !== 'none' && knobs.drop.includes(event.name))
        return {
          eventId,
          event: event.name,
          endpointId: endpoint.webhook.id,
          body,
          signature: signWebhook(event.secret ?? endpoint.secret, body),
          state: isDropped ? 'dropped' : knobs.hold ? 'held' : 'queued',
          dueAt: account.now().getTime() + knobs.delayMs,
          quickRetry: null,
          failures: 0,
          attempts: [],
        }
      })
    account.deliveries.push(...queued)
    for (const delivery of queued) if (delivery.state !== 'dropped') pending.add(delivery)
    return queued
  }

  async function deliver(delivery: Delivery): Promise<void> {
    const endpoint = account.endpoints.find(({ webhook }) => webhook.id === delivery.endpointId)
    if (!endpoint?.webhook.active || closed) return
    const { url } = endpoint.webhook
    const at = account.now()
    const answer = await postWebhook(url, delivery, knobs)
    delivery.attempts.push({ at, url, ...answer })
    if (answer.status !== null && answer.status >= 200 && answer.status < 300) {
      delivery.state = 'delivered'
    } else {
      const wait = nextRetryMs(delivery, answer.status)
      delivery.state = wait === null ? 'exhausted' : 'queued'
      if (wait === null) endpoint.webhook.active = false
      else delivery.dueAt = account.now().getTime() + wait
    }
    if (delivery.state !== 'queued') pending.delete(delivery)
    onChange()
  }

  async function deliverThese(choose: () => Delivery[]): Promise<void> {
    const chosen = choose()
    if (knobs.parallel) await Promise.all(chosen.map(deliver))
    else for (const delivery of chosen) await deliver(delivery)
  }

  function due(): Delivery[] {
    const now = account.now().getTime()
    return waiting().filter(({ state, dueAt }) => state === 'queued' && dueAt <= now)
  }

  function waiting(): Delivery[] {
    const active = new Set(
      account.endpoints.filter(({ webhook }) => webhook.active).map(({ webhook }) => webhook.id),
    )
    return [...pending].filter(({ endpointId }) => active.has(endpointId))
  }

  function run(choose: () => Delivery[]): Promise<void> {
    running = running.then(() => deliverThese(choose)).then(arm)
    return running
  }

  function arm(): void {
    clearTimeout(timer)
    const next = Math.min(
      ...waiting().flatMap(({ state, dueAt }) => (state === 'queued' ? [dueAt] : [])),
    )
    if (closed || !Number.isFinite(next)) return
    const wait = Math.min(Math.max(next - account.now().getTime(), 1), 2 ** 31 - 1)
    timer = setTimeout(() => void run(due), wait).unref()
  }

  async function settle(): Promise<void> {
    do await run(due)
    while (!closed && due().length > 0)
  }

  account.emit = (events) => {
    for (const event of arrange(events, knobs.order)) queue(event)
    onChange()
    void run(due)
  }

  return {
    knobs,
    settle,
    addEndpoint: (url, secret, events) => {
      const endpoint: Endpoint = {
        secret,
        webhook: {
          id: newId('acc').slice(4),
          entity: 'webhook',
          url,
          active: true,
          secret_exists: true,
          events,
          created_at: unixSeconds(account.now()),
        },
      }
      account.endpoints.push(endpoint)
      return endpoint
    },
    send: (event) => {
      const queued = queue(event, () => true)
      void run(due)
      return queued
    },
    tick: () => run(due),
    deliverAll: () => run(waiting),
    release: () => {
      knobs.hold = false
      for (const delivery of waiting()) delivery.state = 'queued'
      void run(due)
    },
    replay: (eventId) => {
      for (const delivery of account.deliveries.filter((one) => one.eventId === eventId)) {
        const endpoint = account.endpoints.find(({ webhook }) => webhook.id === delivery.endpointId)
        if (!endpoint) continue
        endpoint.webhook.active = true
        delivery.signature = signWebhook(endpoint.secret, delivery.body)
        delivery.state = 'queued'
        delivery.dueAt = account.now().getTime()
        pending.add(delivery)
      }
      return run(due)
    },
    close: () => {
      closed = true
      clearTimeout(timer)
    },
  }
}

function wants(name: string): (webhook: WebhookEntity) => boolean {
  return ({ events }) => events.includes(name)
}

function signWebhook(secret: string, body: string): string {
  return createHmac('sha256', secret).update(body).digest('hex')
}

// Razorpay's own key order, minified: receivers hash these very bytes.
function writeBody(account: Account, event: ForgedEvent): string {
  return JSON.stringify({
    entity: 'event',
    account_id: event.accountId ?? account.id,
    event: event.name,
    contains: Object.keys(event.payload),
    payload: event.payload,
    created_at: unixSeconds(account.now()),
  })
}

function arrange<T>(events: readonly T[], order: WebhookKnobs['order']): T[] {
  if (order === 'reversed') return [...events].reverse()
  if (order === 'shuffled') {
    return events
      .map((event) => ({ event, rank: Math.random() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ event }) => event)
  }
  return [...events]
}
