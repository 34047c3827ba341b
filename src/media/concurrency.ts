import { DomainError } from '../errors.ts'

const MAX_PER_ACCOUNT = 3
const MAX_PER_KIND = 30
const RETRY_SECONDS = 10

/** Counts an upload as running until the function it answers is called; throws TOO_MANY_REQUESTS. */
export type AcquireSlot = (accountId: string, kind: string) => () => void

/**
 * Limits the uploads that run at once in this instance: three of an account, thirty of a kind. A quota counts
 * what is written down, and many uploads at once are all looked at before one of them is; each holds memory
 * meanwhile. Avatars and courses' files are kinds of their own, so that students cannot keep authors out.
 */
export function openConcurrencyLimit(): AcquireSlot {
  const counts = new Map<string, number>()
  const countOf = (name: string) => counts.get(name) ?? 0
  return (accountId, kind) => {
    if (countOf(accountId) >= MAX_PER_ACCOUNT || countOf(kind) >= MAX_PER_KIND)
      throw new DomainError('TOO_MANY_REQUESTS', { retryAfterSeconds: RETRY_SECONDS })
    const names = [accountId, kind]
    for (const name of names) counts.set(name, countOf(name) + 1)
    return () => {
      for (const name of names) {
        counts.set(name, countOf(name) - 1)
        if (countOf(name) === 0) counts.delete(name)
      }
    }
  }
}
