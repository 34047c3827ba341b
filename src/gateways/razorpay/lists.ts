import type { GatewayPage, Period } from '../payments.ts'

const PAGE = 100
const MAX_PAGES = 10

export type Page = { count: number; skip: number }

/** What belongs to one thing; no more of it than 1000. */
export async function allPages<T>(
  fetchPage: (page: Page) => Promise<GatewayPage<T>>,
): Promise<GatewayPage<T>> {
  const all: GatewayPage<T> = { items: [], unreadable: [] }
  for (let skip = 0; skip < MAX_PAGES * PAGE; skip += PAGE) {
    const { items, unreadable } = await fetchPage({ count: PAGE, skip })
    all.items.push(...items)
    all.unreadable.push(...unreadable)
    if (items.length + unreadable.length < PAGE) break
  }
  return all
}

/** Page after page to the end, each asked for when the one before has been worked on. */
export async function* eachPage<T>(
  fetchPage: (page: Page) => Promise<GatewayPage<T>>,
): AsyncGenerator<GatewayPage<T>> {
  for (let skip = 0; ; skip += PAGE) {
    const page = await fetchPage({ count: PAGE, skip })
    yield page
    if (page.items.length + page.unreadable.length < PAGE) return
  }
}

/** Whole seconds, widened so that nothing at an edge is missed. */
export function unixPeriod({ from, to }: Period): { from: number; to: number } {
  return { from: Math.floor(from.getTime() / 1000), to: Math.ceil(to.getTime() / 1000) }
}
