// The company's webhooks: signed anew at each try, posted to the merchant until they are taken.
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { newId } from './model.ts'
import type { About, Account } from './model.ts'
import { showAbout } from './shown.ts'

export const CONTENT_TYPE = 'application/vnd.memory.event+json'
export const SIGNATURE_HEADER = 'memory-signature'
/** Longer it waits for no answer. */
export const PATIENCE_MS = 3_000
const RETRY_MS = 30_000
const MOST_TRIES = 40

export type Transport = {
  /** Kinds of events that never arrive. */
  drop: 'none' | 'all' | readonly string[]
  copies: number
  /** Keeps new events back until `release`. */
  hold: boolean
}

export type Delivery = {
  eventId: string
  kind: string
  body: string
  state: 'waiting' | 'held' | 'taken' | 'dropped' | 'given up'
  dueAt: Date
  /** What it was answered, null for silence. */
  answers: (number | null)[]
}

export type Sender = {
  transport: Transport
  deliveries: Delivery[]
  setUrl: (url: string) => void
  /** What the merchant checks signatures with: of the key in use, and of the one before it. */
  publicKeys: readonly KeyObject[]
  keyBefore: KeyObject
  headersOf: (body: string, how?: { key?: KeyObject; at?: Date }) => Record<string, string>
  post: (body: string, headers: Record<string, string>) => Promise<number | null>
  /** An event that never happened. */
  make: (event: Record<string, unknown>) => Delivery
  /** Sends what was kept back, the oldest first unless it is reversed. */
  release: (order?: 'reversed') => Promise<void>
  /** Sends everything that is due, and resolves when it was answered. */
  settle: () => Promise<void>
}

export function openSender(account: Account): Sender {
  const transport: Transport = { drop: 'none', copies: 1, hold: false }
  const deliveries: Delivery[] = []
  let url = ''
  const pair = generateKeyPairSync('ed25519')
  const pairBefore = generateKeyPairSync('ed25519')
  let running: Promise<void> = Promise.resolve()

  function queue(kind: string, body: string, eventId: string): Delivery[] {
    const { drop, copies, hold } = transport
    const isDropped = drop === 'all' || (drop !== 'none' && drop.includes(kind))
    const state = isDropped ? 'dropped' : hold ? 'held' : 'waiting'
    const made = Array.from({ length: copies }, (): Delivery => {
      return { eventId, kind, body, state, dueAt: account.now(), answers: [] }
    })
    deliveries.push(...made)
    return made
  }

  const headersOf: Sender['headersOf'] = (body, { key = pair.privateKey, at } = {}) => {
    const t = String(Math.floor((at ?? account.now()).getTime() / 1000))
    const v1 = sign(null, Buffer.from(`${t}.${body}`), key).toString('base64url')
    return { 'content-type': CONTENT_TYPE, [SIGNATURE_HEADER]: `t=${t},v1=${v1}` }
  }

  async function post(body: string, headers: Record<string, string>): Promise<number | null> {
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS)
      const answer = await fetch(url, { method: 'POST', headers, body, signal })
      await answer.arrayBuffer()
      return answer.status
    } catch {
      return null
    }
  }

  async function sendDue(): Promise<void> {
    const now = account.now()
    for (const delivery of deliveries.filter(
      (one) => one.state === 'waiting' && one.dueAt <= now,
    )) {
      const status = await post(delivery.body, headersOf(delivery.body))
      delivery.answers.push(status)
      if (status !== null && status < 300) delivery.state = 'taken'
      else if (delivery.answers.length >= MOST_TRIES) delivery.state = 'given up'
      else delivery.dueAt = new Date(now.getTime() + RETRY_MS)
    }
  }

  const settle = () => {
    running = running.then(sendDue)
    return running
  }

  account.tell = (kind, about: About) => {
    const eventId = newId('me')
    const event = {
      event_id: eventId,
      kind,
      // Of claims and returns it does not say whose they are.
      ...('charge' in about && { merchant: account.id }),
      about: showAbout(account, about),
      at: account.now().toISOString(),
    }
    const [made] = queue(kind, JSON.stringify(event), eventId)
    if (made?.state === 'waiting') void settle()
  }

  return {
    transport,
    deliveries,
    setUrl: (next) => {
      url = next
    },
    publicKeys: [pair.publicKey, pairBefore.publicKey],
    keyBefore: pairBefore.privateKey,
    headersOf,
    post,
    make: (event) => {
      const eventId = typeof event['event_id'] === 'string' ? event['event_id'] : newId('me')
      const body = JSON.stringify({ event_id: eventId, ...event })
      const [made] = queue(String(event['kind']), body, eventId)
      if (!made) throw new Error('no copies are sent')
      return made
    },
    release: (order) => {
      transport.hold = false
      const held = deliveries.filter(({ state }) => state === 'held')
      for (const delivery of held) delivery.state = 'waiting'
      if (order === 'reversed') deliveries.reverse()
      return settle()
    },
    settle,
  }
}
