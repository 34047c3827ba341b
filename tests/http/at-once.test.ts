import { describe, expect, it } from 'vitest'
import { openAtOnce, type Bounds } from '../../src/http/at-once.ts'
import { startLms } from '../support/harness.ts'
import { aStudent } from '../support/builders/people.ts'
import { reasonIn } from '../support/refusals.ts'

const BOUNDS: Bounds = { ofCaller: 2, ofNetwork: 4, inAll: 3, waiting: 2, waitMs: 5_000 }

const person = (account: string, network = 'one') => ({ account, network })
const visitorOn = (network: string) => ({ account: null, network })

/** Work that goes on until it is told to end. */
function held() {
  const { promise, resolve } = Promise.withResolvers<string>()
  let hasBegun = false
  const work = () => {
    hasBegun = true
    return promise
  }
  const end = () => {
    resolve('done')
  }
  return { work, hasBegun: () => hasBegun, end }
}

const settle = () => new Promise(setImmediate)
const refused = { reason: 'TOO_MANY_REQUESTS', retryAfterSeconds: 2 }
const busy = { reason: 'UNAVAILABLE', retryAfterSeconds: 2 }

describe('work of which there is only so much at once', () => {
  it('is refused to a caller who has enough under way, and to nobody else', async () => {
    const atOnce = openAtOnce(BOUNDS)
    const one = held()
    const mine = [atOnce(person('a'), one.work), atOnce(person('a'), one.work)]
    await expect(atOnce(person('a'), one.work)).rejects.toMatchObject(refused)
    const other = atOnce(person('b'), () => Promise.resolve('done'))
    expect(await other).toBe('done')
    one.end()
    expect(await Promise.all(mine)).toEqual(['done', 'done'])
    expect(await atOnce(person('a'), one.work)).toBe('done')
  })

  it('is refused to a network that has enough under way, by whatever accounts', async () => {
    const atOnce = openAtOnce({ ...BOUNDS, inAll: 9 })
    const one = held()
    for (const account of ['a', 'b', 'c', 'd']) void atOnce(person(account), one.work)
    await expect(atOnce(person('e'), one.work)).rejects.toMatchObject(refused)
    await expect(atOnce(visitorOn('one'), one.work)).rejects.toMatchObject(refused)
    const elsewhere = atOnce(visitorOn('two'), one.work)
    one.end()
    expect(await elsewhere).toBe('done')
  })

  it('waits for its turn where everybody has enough, in the order they came, and not without end', async () => {
    const atOnce = openAtOnce({ ...BOUNDS, waitMs: 20 })
    const pieces = Array.from({ length: 5 }, held)
    const works = pieces.map(({ work }, n) => atOnce(visitorOn(`network ${n}`), work))
    await expect(atOnce(visitorOn('one more'), held().work)).rejects.toMatchObject(busy)
    pieces[0]?.end()
    await settle()
    expect(pieces.map(({ hasBegun }) => hasBegun())).toEqual([true, true, true, true, false])
    await expect(works[4]).rejects.toMatchObject(busy)
    for (const { end } of pieces) end()
    expect(await Promise.all(works.slice(0, 4))).toEqual(Array(4).fill('done'))
  })

  it('gives its place back however it ends', async () => {
    const atOnce = openAtOnce({ ...BOUNDS, inAll: 1 })
    for (let n = 0; n < 10; n += 1) {
      const failing = atOnce(person('a'), () => Promise.reject(new Error('from a test')))
      await expect(failing).rejects.toThrow('from a test')
    }
    expect(await atOnce(person('a'), () => Promise.resolve('done'))).toBe('done')
  })
})

describe('searches of the catalogue', () => {
  const paths = ['{"q":"of"}', '{"sort":"rating"}', '{"level":"BEGINNER"}', '{"maxPrice":100}'].map(
    (json) => `/trpc/courses.list?input=${encodeURIComponent(`{"json":${json}}`)}`,
  )
  const [search = ''] = paths

  it('have a limit of their own, which leaves the lists alone', async () => {
    const lms = await startLms({ env: { SEARCHES_PER_MINUTE: '4' } })
    for (const path of paths) expect((await fetch(`${lms.url}${path}`)).status).toBe(200)
    for (const path of paths) {
      const refusal = await fetch(`${lms.url}${path}`)
      expect([refusal.status, reasonIn(await refusal.text())]).toEqual([429, 'TOO_MANY_REQUESTS'])
      expect(Number(refusal.headers.get('retry-after'))).toBeGreaterThan(0)
    }
    expect((await fetch(`${lms.url}/trpc/courses.list`)).status).toBe(200)
    const learner = await aStudent(lms)
    expect((await learner.fetch(search)).status).toBe(200)
  })

  it('are so many at once, of one network and of all, and nobody else waits for them', async () => {
    const lms = await startLms()
    const one = held()
    const ask = async (path: string) => {
      const response = await fetch(`${lms.url}${path}`)
      return [response.status, response.headers.get('retry-after')]
    }
    const begin = (network: string) => void lms.deps.searchAtOnce(visitorOn(network), one.work)
    for (let n = 0; n < 4; n += 1) begin('127.0.0.1')
    expect(await ask(search)).toEqual([429, '2'])
    for (let n = 0; n < 50; n += 1) begin(`network ${n}`)
    const learner = await aStudent(lms)
    const refusal = await learner.fetch(search)
    expect([refusal.status, reasonIn(await refusal.text())]).toEqual([503, 'UNAVAILABLE'])
    expect(await ask('/trpc/courses.list')).toEqual([200, null])
    one.end()
    await settle()
    expect(await ask(search)).toEqual([200, null])
  })
})
