import { describe, expect, it } from 'vitest'
import { networkOf } from '../../src/http/network.ts'
import { aRegistered, aStudent } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { reasonIn } from '../support/refusals.ts'

const LIMIT = 30

const get = (lms: Lms, headers: Record<string, string> = {}) =>
  fetch(`${lms.url}/trpc/auth.me`, { headers })

/** How many of so many requests get through. */
async function passed(count: number, send: (n: number) => Promise<Response>): Promise<number> {
  let answered = 0
  for (let n = 0; n < count; n += 1) {
    const response = await send(n)
    expect([200, 404, 429]).toContain(response.status)
    if (response.status !== 429) answered += 1
  }
  return answered
}

const batchOf = (count: number, path = 'auth.me') =>
  Array.from({ length: count }, () => path).join()

describe('a network', () => {
  it('may ask so much in a minute, whatever it says it is', async () => {
    const lms = await startLms({ env: { REQUESTS_PER_MINUTE: String(LIMIT) } })
    const spoofs = (n: number) => ({
      'x-forwarded-for': `203.0.113.${n}`,
      'x-real-ip': `203.0.113.${n}`,
      forwarded: `for=203.0.113.${n}`,
      'cf-connecting-ip': `203.0.113.${n}`,
      'x-client-ip': `203.0.113.${n}`,
      'user-agent': `agent ${n}`,
    })
    expect(await passed(LIMIT + 10, (n) => get(lms, spoofs(n)))).toBe(LIMIT)
    const refusal = await get(lms)
    expect(reasonIn(await refusal.text())).toBe('TOO_MANY_REQUESTS')
    expect(Number(refusal.headers.get('retry-after'))).toBeGreaterThan(0)
    // What watches the server must not be told that it is down because somebody else is busy.
    expect((await fetch(`${lms.url}/healthz`)).status).toBe(200)
  })

  it('is counted also where no procedure is reached', async () => {
    const lms = await startLms({ env: { REQUESTS_PER_MINUTE: String(LIMIT) } })
    const statuses: number[] = []
    for (let n = 0; n < LIMIT + 5; n += 1) {
      const path = n % 2 ? '/nothing' : '/trpc/no.such'
      statuses.push((await fetch(`${lms.url}${path}`)).status)
    }
    expect(statuses.filter((status) => status === 404)).toHaveLength(LIMIT)
    expect(statuses.filter((status) => status === 429)).toHaveLength(5)
  })

  it('is what the nearest proxy says, when there is one', async () => {
    const lms = await startLms({ env: { REQUESTS_PER_MINUTE: String(LIMIT), TRUST_PROXY: '1' } })
    const from = (address: string) => get(lms, { 'x-forwarded-for': address })
    expect(await passed(LIMIT + 5, (n) => from(`198.51.100.${n}, 203.0.113.7`))).toBe(LIMIT)
    expect((await from('203.0.113.8')).status).toBe(200)
    expect((await from('198.51.100.1')).status).toBe(200)
  })

  it('is what the outermost of two proxies says, when there are two', async () => {
    const lms = await startLms({ env: { REQUESTS_PER_MINUTE: String(LIMIT), TRUST_PROXY: '2' } })
    const from = (address: string) => get(lms, { 'x-forwarded-for': address })
    expect(await passed(LIMIT + 5, (n) => from(`10.9.9.${n}, 203.0.113.7, 10.0.0.${n}`))).toBe(
      LIMIT,
    )
  })

  it('is a whole /56 of IPv6, and IPv4 is no part of it', async () => {
    const lms = await startLms({ env: { REQUESTS_PER_MINUTE: String(LIMIT), TRUST_PROXY: '1' } })
    // No procedure: those are counted once more, by themselves.
    const from = (address: string) =>
      fetch(`${lms.url}/nothing`, { headers: { 'x-forwarded-for': address } })
    const inOne = (n: number) => `2001:db8:1:2${(n % 256).toString(16).padStart(2, '0')}::${n}`
    expect(await passed(LIMIT + 5, (n) => from(inOne(n)))).toBe(LIMIT)
    expect((await from('2001:db8:1:300::1')).status).toBe(404)
    expect(await passed(LIMIT + 5, (n) => from(n % 2 ? '192.0.2.1' : '::ffff:192.0.2.1'))).toBe(
      LIMIT,
    )
    expect((await from('::ffff:192.0.2.2')).status).toBe(404)
  })

  it('is counted the same for accounts as for requests', () => {
    expect(networkOf('2001:db8:1:2ff::1')).toBe(networkOf('2001:db8:1:200:1::2'))
    expect(networkOf('2001:db8:1:2ff::1')).not.toBe(networkOf('2001:db8:1:3ff::1'))
    expect(networkOf('::ffff:192.0.2.1')).toBe(networkOf('192.0.2.1'))
    expect(networkOf('192.0.2.1')).not.toBe(networkOf('192.0.2.2'))
    expect(networkOf(undefined)).toBe('unknown')
  })
})

describe('a batch', () => {
  const send = (lms: Lms, path: string, headers: Record<string, string> = {}) =>
    fetch(`${lms.url}/trpc/${path}?batch=1`, { headers })

  it('holds twenty calls, and one more runs none', async () => {
    const lms = await startLms()
    const twenty = await send(lms, batchOf(20))
    expect(twenty.status).toBe(200)
    expect(await twenty.json()).toHaveLength(20)
    for (const path of [batchOf(21), ','.repeat(2000), batchOf(500, 'x')]) {
      const refusal = await send(lms, path)
      const text = await refusal.text()
      expect([refusal.status, reasonIn(text)]).toEqual([400, 'MALFORMED_REQUEST'])
      expect(text.length).toBeLessThan(1000)
    }
  })

  it('runs no mutation of one that is too long', async () => {
    const lms = await startLms()
    const student = await aRegistered(lms)
    const response = await student.fetch(`/trpc/${batchOf(21, 'auth.logout')}?batch=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    expect(response.status).toBe(400)
    expect(await student.api.auth.me.query()).not.toBeNull()
  })

  it('is of one kind, with an object for input', async () => {
    const lms = await startLms()
    const student = await aRegistered(lms)
    const post = (path: string, body: string) =>
      student.fetch(`/trpc/${path}?batch=1`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
    expect((await post('auth.logout,auth.me', '{}')).status).toBe(400)
    for (const body of ['5', '"x"', 'null']) {
      const response = await post('auth.login,auth.login', body)
      expect([body, response.status]).toEqual([body, 400])
    }
    expect(await student.api.auth.me.query()).not.toBeNull()
  })

  it('counts each of its calls', async () => {
    const lms = await startLms({ env: { REQUESTS_PER_MINUTE: String(LIMIT) } })
    const first = await send(lms, batchOf(20))
    const second = await send(lms, batchOf(20))
    const results = [
      ...((await first.json()) as { error?: unknown }[]),
      ...((await second.json()) as { error?: unknown }[]),
    ]
    expect(results.filter(({ error }) => error === undefined)).toHaveLength(LIMIT)
    expect(second.status).toBe(207)
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0)
  })

  it('counts the calls of one account together, wherever it calls from', async () => {
    const lms = await startLms({ env: { REQUESTS_PER_MINUTE: String(LIMIT), TRUST_PROXY: '1' } })
    const student = await aRegistered(lms)
    const from = (address: string) =>
      send(lms, batchOf(20), { cookie: student.cookie(), 'x-forwarded-for': address })
    const answers = [await from('192.0.2.1'), await from('192.0.2.2')]
    const results = (await Promise.all(answers.map((answer) => answer.json()))).flat() as {
      error?: unknown
    }[]
    expect(results.filter(({ error }) => error !== undefined)).toHaveLength(40 - LIMIT)
  })
})

describe('an account at a door beside the procedures', () => {
  it.each([
    ['GET', '/receipts/65f000000000000000000001'],
    ['POST', '/uploads/no-such-purpose'],
  ])('is counted as for its calls, wherever it comes from: %s %s', async (method, path) => {
    const lms = await startLms({ env: { REQUESTS_PER_MINUTE: String(LIMIT), TRUST_PROXY: '1' } })
    const student = await aRegistered(lms)
    const from = (n: number, to = path) =>
      student.fetch(to, {
        method: to === path ? method : 'GET',
        headers: { 'x-forwarded-for': `203.0.113.${n}` },
      })
    expect(await passed(LIMIT + 5, (n) => from(n))).toBe(LIMIT)
    const refusal = await from(200)
    expect([refusal.status, reasonIn(await refusal.text())]).toEqual([429, 'TOO_MANY_REQUESTS'])
    expect(Number(refusal.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await from(201, '/trpc/auth.me')).status).toBe(429)
    const another = await aRegistered(lms)
    expect((await another.fetch(path, { method })).status).toBe(404)
  })

  it.each([
    ['GET', '/receipts/65f000000000000000000001'],
    ['GET', '/exports/account'],
    ['POST', '/uploads/avatar'],
  ])('is asked to sign in first: %s %s', async (method, path) => {
    const lms = await startLms()
    const refusal = await lms.visitor().fetch(path, { method })
    expect([refusal.status, reasonIn(await refusal.text())]).toEqual([401, 'UNAUTHENTICATED'])
  })
})

describe('those who are signed in', () => {
  it('are counted each by themselves: seventy learners behind one address', async () => {
    const lms = await startLms({ env: { REQUESTS_PER_MINUTE: '600' } })
    const learners = await Promise.all(Array.from({ length: 70 }, () => aStudent(lms)))
    const statuses = await Promise.all(
      learners.map(async (learner) => {
        const told: number[] = []
        for (let n = 0; n < 9; n += 1) told.push((await learner.fetch('/trpc/auth.me')).status)
        return told
      }),
    )
    expect(new Set(statuses.flat())).toEqual(new Set([200]))
  })

  it('leave what visitors of their network may ask to the visitors, and the other way round', async () => {
    const lms = await startLms({ env: { REQUESTS_PER_MINUTE: String(LIMIT) } })
    const learner = await aRegistered(lms)
    expect(await passed(LIMIT + 5, () => learner.fetch('/trpc/auth.me'))).toBe(LIMIT)
    // One was the registration's own.
    expect(await passed(LIMIT + 5, () => get(lms))).toBe(LIMIT - 1)
  })

  it('are no more than a network may, in a bound that is wider', async () => {
    const env = { REQUESTS_PER_MINUTE: String(LIMIT), NETWORK_REQUESTS_PER_MINUTE: '50' }
    const lms = await startLms({ env: { ...env, TRUST_PROXY: '1' } })
    const learners = [await aRegistered(lms), await aRegistered(lms), await aRegistered(lms)]
    const network = '203.0.113.9'
    let answered = 0
    for (const learner of learners)
      answered += await passed(25, () =>
        learner.fetch('/trpc/auth.me', { headers: { 'x-forwarded-for': network } }),
      )
    expect(answered).toBe(50)
    const [first] = learners
    expect((await first?.fetch('/trpc/auth.me'))?.status).toBe(200)
  })

  it('make no more calls together than a network may, by whatever batches', async () => {
    const env = { REQUESTS_PER_MINUTE: String(LIMIT), NETWORK_REQUESTS_PER_MINUTE: '45' }
    const lms = await startLms({ env })
    const learners = [await aRegistered(lms), await aRegistered(lms), await aRegistered(lms)]
    const answers: { error?: unknown }[] = []
    for (const learner of learners) {
      const response = await learner.fetch(`/trpc/${batchOf(20)}?batch=1`)
      answers.push(...((await response.json()) as { error?: unknown }[]))
    }
    // Three calls were registrations.
    expect(answers.filter(({ error }) => error === undefined)).toHaveLength(42)
  })
})

describe('a session cookie that is nobody’s', () => {
  it('has no limit of its own, however many are made up', async () => {
    const lms = await startLms({ env: { REQUESTS_PER_MINUTE: String(LIMIT) } })
    const forged = (n: number) => ({ cookie: `session=${String(n).padStart(40, 'a')}` })
    expect(await passed(LIMIT + 10, (n) => get(lms, forged(n)))).toBe(LIMIT)
    expect((await get(lms)).status).toBe(429)
  })

  it('is no account any more once it was signed out of', async () => {
    const lms = await startLms({ env: { REQUESTS_PER_MINUTE: String(LIMIT) } })
    const learner = await aRegistered(lms)
    const cookie = learner.cookie()
    await learner.api.auth.logout.mutate()
    // One of them registered.
    expect(await passed(LIMIT + 5, () => get(lms, { cookie }))).toBe(LIMIT - 1)
  })
})
