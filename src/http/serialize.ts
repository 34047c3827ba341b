import superjson, { type SuperJSONResult } from 'superjson'

const UNSAFE_KEY = /[.\\]|^(__proto__|constructor|prototype)$/

/**
 * Writes superjson's format. superjson copies and annotates every value; most answers are plain objects,
 * arrays and dates, for which one walk that collects the paths of the dates is the whole work. Whatever
 * else an answer holds, superjson itself writes.
 */
export function serialize(value: unknown): SuperJSONResult {
  const walk: Walk = { dates: {}, count: 0, seen: new Set() }
  if (value instanceof Date || !isPlain(value, '', walk)) return superjson.serialize(value)
  // JSON.stringify writes a date as superjson does, so the value itself can stand for its JSON.
  const json = value as SuperJSONResult['json']
  return walk.count === 0 ? { json } : { json, meta: { values: walk.dates, v: 1 } }
}

type Walk = { dates: Record<string, ['Date']>; count: number; seen: Set<object> }

function isPlain(value: unknown, path: string, walk: Walk): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      return value === null || isPlainObject(value, path, walk)
    default:
      return false
  }
}

function isPlainObject(value: object, path: string, walk: Walk): boolean {
  // superjson notes what appears twice.
  if (walk.seen.has(value)) return false
  walk.seen.add(value)
  if (value instanceof Date) return noteDate(value, path, walk)
  const start = path === '' ? '' : `${path}.`
  if (Array.isArray(value)) {
    const items: unknown[] = value
    return items.every((item, at) => isPlain(item, `${start}${at}`, walk)) && !isSparse(items)
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  return Object.entries(value).every(
    ([key, item]) => key !== '' && !UNSAFE_KEY.test(key) && isPlain(item, start + key, walk),
  )
}

function noteDate(date: Date, path: string, walk: Walk): boolean {
  if (Number.isNaN(date.getTime())) return false
  walk.dates[path] = ['Date']
  walk.count += 1
  return true
}

function isSparse(items: unknown[]): boolean {
  return Object.keys(items).length !== items.length
}
