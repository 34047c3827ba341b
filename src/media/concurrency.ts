import { SECOND_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'

const OF_ACCOUNT = 3
const OF_NETWORK = 20
const OF_KIND = 30
const RETRY_SECONDS = 10

// A place that is wanted is not kept by whoever sends more slowly than this, once they had the time to show it.
const PRESSED_BYTES_PER_SECOND = 16 * 1024
const TO_SHOW_MS = 5 * SECOND_MS

/** Whose upload it is: an account's, from this network. */
export type Uploader = { account: string; network: string }

/** A place among the uploads that run: `displaced` aborts where it is needed for somebody else. */
export type Place = { displaced: AbortSignal; end: () => void }

/** Of one kind, students' avatars or courses' files: neither can keep the other out. */
export type UploadsAtOnce = {
  /** Throws TOO_MANY_REQUESTS where there is no place; `bytesSoFar` tells what has come in of it. */
  begin: (kind: string, uploader: Uploader, bytesSoFar: () => number) => Place
}

type Running = Uploader & {
  beganAt: number
  bytesSoFar: () => number
  displace: AbortController
}

/**
 * Limits the uploads that run at once in this instance: three of an account, twenty of a network, thirty of a
 * kind. A quota counts what is written down, and many uploads at once are all looked at before one of them
 * is; each holds memory meanwhile.
 *
 * Accounts are free and slow bytes are cheap, so places are not kept by who came first. Where a network, or
 * everybody, has all there are, the slowest gives way that is slower than 16 kB a second, or that is one of
 * two more than the newcomer's account, or network, has.
 */
export function openUploadsAtOnce(now = () => performance.now()): UploadsAtOnce {
  const kinds = new Map<string, Set<Running>>()
  return {
    begin: (kind, uploader, bytesSoFar) => {
      const running = kinds.get(kind) ?? new Set()
      kinds.set(kind, running)
      makeRoom(running, uploader, now())
      const displace = new AbortController()
      const mine: Running = { ...uploader, beganAt: now(), bytesSoFar, displace }
      running.add(mine)
      return { displaced: displace.signal, end: () => void running.delete(mine) }
    },
  }
}

function makeRoom(running: Set<Running>, newcomer: Uploader, at: number): void {
  const all = [...running]
  const ofNetwork = all.filter(({ network }) => network === newcomer.network)
  const ofAccount = all.filter(({ account }) => account === newcomer.account)
  if (ofAccount.length >= OF_ACCOUNT) throw noRoom()
  if (ofNetwork.length >= OF_NETWORK) displaceOne(running, ofNetwork, newcomer, at)
  else if (all.length >= OF_KIND) displaceOne(running, all, newcomer, at)
}

/** The one displaced is off the list at once: what is left of its request is its own affair. */
function displaceOne(
  running: Set<Running>,
  among: Running[],
  newcomer: Uploader,
  at: number,
): void {
  const hasMore = (of: 'account' | 'network', one: Running) => {
    const count = (name: string) => among.filter((other) => other[of] === name).length
    return count(one[of]) >= count(newcomer[of]) + 2
  }
  const [slowest] = among
    .filter((one) => isTooSlow(one, at) || hasMore('account', one) || hasMore('network', one))
    .sort((one, other) => paceOf(one, at) - paceOf(other, at))
  if (!slowest) throw noRoom()
  running.delete(slowest)
  slowest.displace.abort()
}

const isTooSlow = (one: Running, at: number): boolean =>
  at - one.beganAt >= TO_SHOW_MS && paceOf(one, at) < PRESSED_BYTES_PER_SECOND

/** In bytes a second, since it began. */
const paceOf = ({ bytesSoFar, beganAt }: Running, at: number): number =>
  (bytesSoFar() * SECOND_MS) / Math.max(1, at - beganAt)

function noRoom(): DomainError {
  return new DomainError('TOO_MANY_REQUESTS', { retryAfterSeconds: RETRY_SECONDS })
}
