import type { Account, Delivery } from '../model/account.ts'
import { randomToken } from '../model/entities.ts'
import { findEndpoint, isSubscribed } from './endpoints.ts'
import { signWebhook, writeBody, type ForgedEvent } from './envelope.ts'
import { postWebhook } from './post.ts'
import { nextRetryMs } from './retry-schedule.ts'
import { arrange, isDropped, openTransport, type WebhookTransport } from './transport.ts'

export type Sender = {
  transport: WebhookTransport
  /** A made-up event, for what Razorpay does not send by itself. */
  send: (event: ForgedEvent) => Delivery[]
  /** Sends what is due by the clock; resolves when it has been answered. */
  tick: () => Promise<void>
  /** Sends everything not delivered yet, held, delayed or waiting for a retry. */
  deliverAll: () => Promise<void>
  /** Ends hold: what was kept back becomes due, the oldest event first unless it is reversed. */
  release: (order?: 'natural' | 'reversed') => void
  /** Resolves when nothing is under way or due. */
  settle: () => Promise<void>
  /** The dashboard's button: signs anew with the current secret and enables the endpoint again. */
  replay: (eventId: string) => Promise<void>
  close: () => void
}

/** Sends the account's events to its endpoints; `onChange` is told whenever there is something to save. */
export function openSender(account: Account, onChange: () => void): Sender {
  const transport = openTransport()
  // What still has to arrive; the account keeps the whole history.
  const pending = new Set<Delivery>()
  let running: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function queue(event: ForgedEvent, toAll = false): Delivery[] {
    const eventId = event.eventId ?? randomToken()
    const queued = account.endpoints
      .filter(
        (endpoint) => endpoint.webhook.active && (toAll || isSubscribed(endpoint, event.name)),
      )
      .flatMap((endpoint) => Array.from({ length: transport.copies }, () => endpoint))
      .map((endpoint): Delivery => {
        const body = writeBody(account, event)
        const isLost = isDropped(transport, event.name)
        return {
          eventId,
          event: event.name,
          endpointId: endpoint.webhook.id,
          body,
          signature: signWebhook(event.secret ?? endpoint.secret, body),
          state: isLost ? 'dropped' : transport.hold ? 'held' : 'queued',
          dueAt: account.now().getTime() + transport.delayMs,
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
    const endpoint = findEndpoint(account, delivery)
    if (!endpoint?.webhook.active || closed) return
    const { url } = endpoint.webhook
    const at = account.now()
    const answer = await postWebhook(url, delivery, transport)
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
    if (transport.parallel) await Promise.all(chosen.map(deliver))
    else for (const delivery of chosen) await deliver(delivery)
  }

  function due(): Delivery[] {
    const now = account.now().getTime()
    return waiting()
      .filter(({ state, dueAt }) => state === 'queued' && dueAt <= now)
      .sort((a, b) => a.dueAt - b.dueAt)
  }

  function waiting(): Delivery[] {
    return [...pending].filter((delivery) => findEndpoint(account, delivery)?.webhook.active)
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
    for (const event of arrange(events, transport)) queue(event)
    onChange()
    void run(due)
  }

  return {
    transport,
    settle,
    send: (event) => {
      const queued = queue(event, true)
      void run(due)
      return queued
    },
    tick: () => run(due),
    deliverAll: () => run(waiting),
    release: (order = 'natural') => {
      transport.hold = false
      const held = waiting().filter(({ state }) => state === 'held')
      const first = account.now().getTime() - held.length
      if (order === 'reversed') held.reverse()
      for (const [at, delivery] of held.entries()) {
        delivery.state = 'queued'
        if (order === 'reversed') delivery.dueAt = first + at
      }
      void run(due)
    },
    replay: (eventId) => {
      for (const delivery of account.deliveries.filter((one) => one.eventId === eventId)) {
        const endpoint = findEndpoint(account, delivery)
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
