/** How webhooks travel; every field may be changed at any time, and holds for what happens from then on. */
export type WebhookTransport = {
  /** Event names that are never sent. */
  drop: 'none' | 'all' | readonly string[]
  /** How many times each event is sent. */
  copies: number
  /** Order within the events of one occurrence. */
  order: 'natural' | 'reversed' | 'shuffled'
  /** Wait so many milliseconds before the first try. */
  delayMs: number
  /** Pause so many milliseconds in the middle of the request body. */
  slowMs: number
  /** Send everything that is due at once instead of one after the other. */
  parallel: boolean
  /** Keep new events back until deliverAll or release. */
  hold: boolean
  /** Razorpay counts an answer that takes more milliseconds as a failure. */
  timeoutMs: number
}

/** Everything is sent once, at once and in order; an answer has five seconds, as at Razorpay. */
export function openTransport(): WebhookTransport {
  return {
    drop: 'none',
    copies: 1,
    order: 'natural',
    delayMs: 0,
    slowMs: 0,
    parallel: false,
    hold: false,
    timeoutMs: 5_000,
  }
}

/** Whether events of this name get lost on their way. */
export function isDropped({ drop }: WebhookTransport, name: string): boolean {
  return drop === 'all' || (drop !== 'none' && drop.includes(name))
}

/** The events of one occurrence in the order they are sent in. */
export function arrange<T>(events: readonly T[], { order }: WebhookTransport): T[] {
  if (order === 'reversed') return [...events].reverse()
  if (order === 'shuffled') {
    return events
      .map((event) => ({ event, rank: Math.random() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ event }) => event)
  }
  return [...events]
}
