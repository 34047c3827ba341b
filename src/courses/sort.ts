import { ObjectId, type Document } from 'mongodb'
import { z } from 'zod'
import { refuseInput } from '../errors.ts'
import { Id } from '../fields.ts'

export const SORTS = ['newest', 'price-asc', 'price-desc', 'rating', 'relevance'] as const
export type Sort = (typeof SORTS)[number]

/** What a page's last row says about where the next one begins. */
export type SortedRow = {
  _id: ObjectId
  publishedAt: Date
  pricePaise: number
  rating?: number
  score?: number
}

type SortKey = { field: 'publishedAt' | 'pricePaise' | 'rating' | 'score'; direction: 1 | -1 }

const SORT_KEYS: Record<Sort, SortKey> = {
  newest: { field: 'publishedAt', direction: -1 },
  'price-asc': { field: 'pricePaise', direction: 1 },
  'price-desc': { field: 'pricePaise', direction: -1 },
  rating: { field: 'rating', direction: -1 },
  relevance: { field: 'score', direction: -1 },
}

/** Sort keys that no document stores; the score of a document is the same on every page. */
export const COMPUTED: Partial<Record<Sort, Document>> = {
  rating: {
    rating: {
      $cond: [{ $eq: ['$ratingCount', 0] }, 0, { $divide: ['$ratingSum', '$ratingCount'] }],
    },
  },
  relevance: { score: { $meta: 'textScore' } },
}

/** The order asked for; by default relevance where words were given, else the newest. */
export function sortFor({ q, sort }: { q?: string | undefined; sort?: Sort | undefined }): Sort {
  const hasWords = q !== undefined && q !== ''
  if (!hasWords && sort === 'relevance') return 'newest'
  return sort ?? (hasWords ? 'relevance' : 'newest')
}

/**
 * The order for MongoDB; of equals the later id decides, so that a page can go on where the last one ended.
 */
export function sortOf(sort: Sort): Record<string, 1 | -1> {
  const { field, direction } = SORT_KEYS[sort]
  return { [field]: direction, _id: direction }
}

const Cursor = z.tuple([z.enum(SORTS), z.number(), Id])

/** Where the next page begins: after this row, in this order. */
export function cursorOf(sort: Sort, last: SortedRow): string {
  const value = Number(last[SORT_KEYS[sort].field] ?? 0)
  return Buffer.from(JSON.stringify([sort, value, last._id.toHexString()])).toString('base64url')
}

/**
 * Matches what comes after the cursor. Throws INVALID_INPUT for a cursor of another order, which would skip
 * rows.
 */
export function afterCursor(sort: Sort, cursor: string): Document {
  const parsed = Cursor.safeParse(readJson(Buffer.from(cursor, 'base64url').toString()))
  const { field, direction } = SORT_KEYS[sort]
  if (!parsed.success || parsed.data[0] !== sort)
    return refuseInput('cursor', 'is not a cursor of this list')
  const [, number, id] = parsed.data
  const value = field === 'publishedAt' ? new Date(number) : number
  const beyond = direction === 1 ? '$gt' : '$lt'
  return {
    $or: [
      { [field]: { [beyond]: value } },
      { [field]: value, _id: { [beyond]: new ObjectId(id) } },
    ],
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
