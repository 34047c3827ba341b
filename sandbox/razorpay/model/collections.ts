import type { Account } from './account.ts'
import { Refusal, refuseExtraFields } from './refusal.ts'

/** A list as Razorpay answers it. */
export type Collection<T> = { entity: 'collection'; count: number; items: T[] }

const PAGE_FIELDS = ['from', 'to', 'count', 'skip', 'expand[]']

/** These as one answer; `count` is how many of them. */
export function collect<T>(items: T[]): Collection<T> {
  return { entity: 'collection', count: items.length, items }
}

/**
 * Newest first, cut to the asked page (`from` and `to` in Unix seconds, `count` up to 100, `skip`), without
 * what the list lag still hides.
 */
export function listPage<R extends { createdMs: number }>(
  account: Account,
  rows: Iterable<R>,
  query: URLSearchParams,
): R[] {
  const seenBefore = account.now().getTime() - account.settings.listLagMs
  const from = readNumber(query, 'from') ?? 0
  const to = readNumber(query, 'to') ?? Number.MAX_SAFE_INTEGER
  const count = readNumber(query, 'count') ?? 10
  const skip = readNumber(query, 'skip') ?? 0
  if (count > 100) {
    throw new Refusal('The count may not be greater than 100.', { field: 'count' })
  }
  if (count < 1) throw new Refusal('The count must be at least 1.', { field: 'count' })
  return [...rows]
    .filter(({ createdMs }) => createdMs <= seenBefore)
    .filter(({ createdMs }) => createdMs >= from * 1000 && createdMs < (to + 1) * 1000)
    .reverse()
    .slice(skip, skip + count)
}

/** Refuses a query that names more than a page and what is allowed besides. */
export function refuseExtraQuery(query: URLSearchParams, allowed: readonly string[]): void {
  refuseExtraFields(Object.fromEntries(query), [...PAGE_FIELDS, ...allowed])
}

function readNumber(query: URLSearchParams, field: string): number | undefined {
  const value = query.get(field)
  if (value === null) return undefined
  if (!/^\d{1,12}$/.test(value)) throw new Refusal(`The ${field} must be an integer.`, { field })
  return Number(value)
}
