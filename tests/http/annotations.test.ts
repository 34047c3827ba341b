import superjson from 'superjson'
import { beforeAll, describe, expect, it } from 'vitest'
import { startLms, type Lms } from '../support/harness.ts'
import { reasonIn } from '../support/refusals.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

async function send(input: unknown) {
  const query = encodeURIComponent(JSON.stringify(input))
  const response = await fetch(`${lms.url}/trpc/courses.list?input=${query}`)
  return [response.status, reasonIn(await response.text())]
}

const REFUSED = [400, 'MALFORMED_REQUEST']

describe('superjson’s annotations of an input', () => {
  it('may say what ordinary clients say', async () => {
    expect(await send(superjson.serialize({ limit: 5, q: undefined }))).toEqual([200, null])
    expect(await send(superjson.serialize(undefined))).not.toEqual(REFUSED)
    const shared = { a: 1 }
    expect(await send(superjson.serialize({ limit: 5, x: shared, y: shared }))).toEqual([200, null])
    expect(await send(superjson.serialize({ limit: Number.NaN }))).toEqual([400, 'INVALID_INPUT'])
    expect(await send(superjson.serialize({ limit: new Date(0) }))).toEqual([400, 'INVALID_INPUT'])
  })

  it('may not ask for anything else to be made', async () => {
    for (const kind of [
      'bigint',
      'regexp',
      'set',
      'map',
      'URL',
      'Error',
      'toString',
      '__proto__',
      'constructor',
      ['class', 'Object'],
      ['class', 'constructor'],
      ['custom', 'x'],
      ['symbol', 'x'],
      ['typed-array', 'Uint8Array'],
      null,
      5,
      {},
    ]) {
      const input = { json: { q: '9'.repeat(1000) }, meta: { values: { q: [kind] }, v: 1 } }
      expect([kind, ...(await send(input))]).toEqual([kind, ...REFUSED])
      const nested = { json: { q: [] }, meta: { values: { q: ['undefined', { 0: [kind] }] } } }
      expect([kind, ...(await send(nested))]).toEqual([kind, ...REFUSED])
    }
  })

  it('reach no prototype by their paths', async () => {
    for (const path of [
      '__proto__.limit',
      'constructor.prototype.limit',
      'q.__proto__',
      'prototype',
      '__proto__',
      'constructor',
    ]) {
      const input = { json: { q: 'x' }, meta: { values: { [path]: ['undefined'] }, v: 1 } }
      expect([path, ...(await send(input))]).toEqual([path, ...REFUSED])
    }
    for (const path of ['toString', 'q.toString', 'q.length', 'hasOwnProperty.call', 'a\\.b', '']) {
      const [status] = await send({
        json: { q: 'x' },
        meta: { values: { [path]: ['number'] }, v: 1 },
      })
      expect([path, status]).toEqual([path, 200])
    }
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  it('tie no knots', async () => {
    const roots = { json: { q: { a: {} } }, meta: { referentialEqualities: [['q.a']], v: 1 } }
    expect(await send(roots)).toEqual([400, 'INVALID_INPUT'])
    const knot = {
      json: { limit: 5, a: { b: {} } },
      meta: { referentialEqualities: { a: ['a.b'] } },
    }
    expect(await send(knot)).toEqual([200, null])
  })

  it('are an object or nothing', async () => {
    for (const meta of [null, 5, 'x', [], { values: 5 }, { values: 'Date' }, { values: null }]) {
      expect([meta, ...(await send({ json: {}, meta }))]).toEqual([meta, ...REFUSED])
    }
    expect(await send({ json: {}, meta: { values: { limit: ['Date'] }, v: 'x' } })).toEqual([
      400,
      'INVALID_INPUT',
    ])
  })
})
