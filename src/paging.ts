import {
  MongoAndExpr,
  MongoFieldFilter,
  MongoOrExpr,
  type MongoFilterExpr,
} from '@prisma/orm-mongo/query-ast/execution'
import { oid } from './db.ts'
import { refuseInput } from './errors.ts'
import { Id, type PageOf } from './fields.ts'

type Placed = { _id: string; createdAt: Date }

/**
 * What comes after the cursor in a list that is sorted newest first, by `field` and then by id. Throws
 * INVALID_INPUT for what is no cursor.
 */
export function after(cursor: string, field = 'createdAt'): MongoFilterExpr {
  const [time = '', id = ''] = Buffer.from(cursor, 'base64url').toString('latin1').split('.')
  const createdAt = new Date(Number(time))
  if (!/^\d{1,15}$/.test(time) || !Id.safeParse(id).success)
    refuseInput('cursor', 'is not a cursor of this list')
  return MongoOrExpr.of([
    MongoFieldFilter.lt(field, createdAt),
    MongoAndExpr.of([MongoFieldFilter.eq(field, createdAt), MongoFieldFilter.lt('_id', oid(id))]),
  ])
}

/** The order of every list that is read by pages. */
export const NEWEST_FIRST = { createdAt: -1, _id: -1 } as const

/** A list of Prisma's, not yet ordered. */
type List<Row> = {
  where: (filter: MongoFilterExpr) => List<Row>
  orderBy: (order: typeof NEWEST_FIRST) => List<Row>
  limit: (most: number) => List<Row>
  all: () => PromiseLike<Row[]>
}

/** One page of a list, newest first, of `limit` items at most. Throws INVALID_INPUT for what is no cursor. */
export async function readPage<Row extends Placed>(
  list: List<Row>,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<PageOf<Row>> {
  const rows = await (cursor === undefined ? list : list.where(after(cursor)))
    .orderBy(NEWEST_FIRST)
    .limit(limit + 1)
    .all()
  return splitPage(rows, limit)
}

// So many rows are in memory before it is known how large they are.
const ROWS_AT_A_TIME = 10

/**
 * The same for rows that may be large: the page ends before `bytes` of JSON are exceeded, but has one item at
 * least.
 */
export async function readPageWithin<Row extends Placed>(
  list: List<Row>,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
  bytes: number,
): Promise<PageOf<Row>> {
  const items: Row[] = []
  let left = bytes
  for (let next = cursor; ;) {
    const most = Math.min(ROWS_AT_A_TIME, limit - items.length)
    const page = await readPage(list, { cursor: next, limit: most })
    for (const row of page.items) {
      left -= Buffer.byteLength(JSON.stringify(row))
      const last = items.at(-1)
      if (left < 0 && last) return { items, nextCursor: cursorOf(last) }
      items.push(row)
    }
    if (page.nextCursor === null || items.length === limit)
      return { items, nextCursor: page.nextCursor }
    next = page.nextCursor
  }
}

/** `rows` were read with one more than the limit, which tells whether there is a next page. */
export function splitPage<Row extends Placed>(rows: Row[], limit: number): PageOf<Row> {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const hasMore = rows.length > limit && last
  return { items, nextCursor: hasMore ? cursorOf(last) : null }
}

function cursorOf({ createdAt, _id }: Placed): string {
  return Buffer.from(`${createdAt.getTime()}.${_id}`, 'latin1').toString('base64url')
}
