const PAGE = 100
const MAX_PAGES = 10

export type Period = { from: Date; to: Date }
export type Page = { count: number; skip: number }

export async function allPages<T>(fetchPage: (page: Page) => Promise<T[]>): Promise<T[]> {
  const all: T[] = []
  for (let skip = 0; skip < MAX_PAGES * PAGE; skip += PAGE) {
    const items = await fetchPage({ count: PAGE, skip })
    all.push(...items)
    if (items.length < PAGE) break
  }
  return all
}

export function unixPeriod({ from, to }: Period): { from: number; to: number } {
  return { from: Math.floor(from.getTime() / 1000), to: Math.ceil(to.getTime() / 1000) }
}
