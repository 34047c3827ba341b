import fc from 'fast-check'
import superjson from 'superjson'
import { describe, expect, it } from 'vitest'
import { serialize } from '../../src/http/serialize.ts'

const leaf = fc.oneof(
  fc.string(),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant(undefined),
  fc.date(),
  fc.bigInt(),
  fc.constantFrom(-0, Number.NaN, new Date(Number.NaN), new Map([[1, 2]]), new Set(['a']), /x/u),
)
const key = fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('a.b', 'a\\b', 'items', '0'))
const { anything } = fc.letrec((tie) => ({
  anything: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('anything'), { maxLength: 5 }),
    fc.dictionary(key, tie('anything'), { maxKeys: 5, noNullPrototype: true }),
  ),
}))

const text = (write: (value: unknown) => unknown, value: unknown) => {
  try {
    return JSON.parse(JSON.stringify(write(value))) as unknown
  } catch (error) {
    return String(error)
  }
}

describe('the wire format', () => {
  it('is superjson’s own, whatever the value', () => {
    fc.assert(
      fc.property(anything, (value) => {
        expect(text(serialize, value)).toEqual(text(superjson.serialize, value))
      }),
      { numRuns: 2_000, seed: 1 },
    )
  })

  it('is superjson’s own for what appears twice', () => {
    const shared = { at: new Date(0) }
    const at = new Date(1)
    for (const value of [
      { a: shared, b: shared },
      [shared, { shared }],
      [at, at],
      at,
      [[at]],
      { '': at },
    ]) {
      expect(text(serialize, value)).toEqual(text(superjson.serialize, value))
    }
  })

  it('brings a page back as it was', () => {
    const page = { items: [{ id: 'a', at: new Date(5), tags: ['x'] }], nextCursor: null }
    const received = JSON.parse(JSON.stringify(serialize(page))) as ReturnType<typeof serialize>
    expect(superjson.deserialize(received)).toEqual(page)
  })
})
