import type { CombinedDataTransformer } from '@trpc/server'
import superjson, { type SuperJSONResult } from 'superjson'
import { DomainError } from '../errors.ts'
import { serialize } from './serialize.ts'

/**
 * superjson as clients know it, but an input may only say which of its values are dates, undefined, or
 * numbers JSON has no word for. The rest is machinery for strangers: regular expressions to stall on, big
 * integers that take minutes to read, classes, errors, and references that tie an object into a knot. An
 * input that says more is refused with MALFORMED_REQUEST.
 */
export const transformer: CombinedDataTransformer = {
  input: { serialize: superjson.serialize, deserialize: readInput },
  output: { serialize, deserialize: superjson.deserialize },
}

type Payload = { json?: unknown; meta?: unknown }
type Meta = { values?: unknown; v?: unknown }

const PLAIN_KINDS: ReadonlySet<unknown> = new Set(['Date', 'undefined', 'number'])

function readInput(payload: unknown): unknown {
  if (!isObject(payload)) throw new DomainError('MALFORMED_REQUEST')
  const { json, meta } = payload as Payload
  if (meta === undefined) return withoutNegativeZero(json)
  if (!isObject(meta)) throw new DomainError('MALFORMED_REQUEST')
  const { values, v } = meta as Meta
  if (!isPlainTree(values)) throw new DomainError('MALFORMED_REQUEST')
  // Ordinary clients send an object that occurs twice twice, so nothing is lost without the references.
  const input = { json, meta: { values, v } } as SuperJSONResult
  return withoutNegativeZero(superjson.deserialize(input, { inPlace: true }))
}

/** Nobody means another number by it, and the database's integers have no place for it. */
function withoutNegativeZero(value: unknown): unknown {
  if (Object.is(value, -0)) return 0
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  const fields = value as Record<string, unknown>
  for (const [name, field] of Object.entries(fields)) {
    const clean = withoutNegativeZero(field)
    if (!Object.is(clean, field)) fields[name] = clean
  }
  return value
}

/** A tree of superjson's annotations: objects by path, and `[kind, children?]` where a value has a kind. */
function isPlainTree(tree: unknown): boolean {
  if (tree === undefined) return true
  if (Array.isArray(tree)) {
    const [kind, children] = tree as unknown[]
    return PLAIN_KINDS.has(kind) && isPlainTree(children)
  }
  return isObject(tree) && Object.values(tree).every(isPlainTree)
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
