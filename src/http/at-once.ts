import { DomainError } from '../errors.ts'

/** Who is counted: an account, or whoever is not signed in on a network. */
export type Caller = { account: string | null; network: string }

/** How much of one kind of work may go on at once in this process. */
export type Bounds = {
  /** At work or waiting: of one account, or of those of one network who are not signed in. */
  ofCaller: number
  /** At work or waiting: of one network, whoever they are. */
  ofNetwork: number
  /** At work: of everybody. */
  inAll: number
  /** Of everybody, how many may wait for their turn, and for how long. */
  waiting: number
  waitMs: number
}

/**
 * Does the work once there is room for it. Throws TOO_MANY_REQUESTS where the caller, or their network, has
 * as much under way as they may, and UNAVAILABLE where everybody together has.
 */
export type AtOnce = <T>(caller: Caller, work: () => Promise<T>) => Promise<T>

const RETRY_SECONDS = 2

/** How callers are told apart, where a limit is for each of them. */
export function callerKey({ account, network }: Caller): string {
  return account === null ? `network ${network}` : `account ${account}`
}

/** A gate for one kind of work. Those who wait go in the order they came. */
export function openAtOnce(bounds: Bounds): AtOnce {
  const counts = openCounts()
  const turns = openTurns(bounds)
  return async (caller, work) => {
    const leave = counts.enter([
      [callerKey(caller), bounds.ofCaller],
      [`all of ${caller.network}`, bounds.ofNetwork],
    ])
    try {
      await turns.take()
      try {
        return await work()
      } finally {
        turns.giveBack()
      }
    } finally {
      leave()
    }
  }
}

type Counts = { enter: (limits: [key: string, most: number][]) => () => void }

function openCounts(): Counts {
  const counts = new Map<string, number>()
  const change = (key: string, by: number) => {
    const count = (counts.get(key) ?? 0) + by
    if (count > 0) counts.set(key, count)
    else counts.delete(key)
  }
  return {
    enter: (limits) => {
      if (limits.some(([key, most]) => (counts.get(key) ?? 0) >= most))
        throw new DomainError('TOO_MANY_REQUESTS', { retryAfterSeconds: RETRY_SECONDS })
      for (const [key] of limits) change(key, 1)
      return () => {
        for (const [key] of limits) change(key, -1)
      }
    },
  }
}

type Turns = { take: () => Promise<void>; giveBack: () => void }

function openTurns({ inAll, waiting: most, waitMs }: Bounds): Turns {
  const waiting = new Set<() => void>()
  let running = 0
  const wait = () =>
    new Promise<void>((resolve, reject) => {
      const begin = () => {
        clearTimeout(timer)
        waiting.delete(begin)
        resolve()
      }
      const timer = setTimeout(() => {
        waiting.delete(begin)
        reject(tooBusy())
      }, waitMs)
      waiting.add(begin)
    })
  return {
    take: async () => {
      if (running < inAll) running += 1
      else if (waiting.size < most) await wait()
      else throw tooBusy()
    },
    giveBack: () => {
      const [next] = waiting
      // The place goes straight from one to the next.
      if (next) next()
      else running -= 1
    },
  }
}

function tooBusy(): DomainError {
  return new DomainError('UNAVAILABLE', { retryAfterSeconds: RETRY_SECONDS })
}
