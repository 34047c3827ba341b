import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent, type Person } from '../support/builders/people.ts'
import { post, type Answer } from '../support/builders/auth.ts'
import { startLms, type Lms } from '../support/harness.ts'

// Behind one proxy, whose X-Forwarded-For says where a call came from. Builders come from `HOME`.
const HOME = '127.0.0.1'
const AWAY = '198.51.100.7'

const times = (count: number, reason: string): string[] =>
  Array.from({ length: count }, () => reason)

let lms: Lms
beforeAll(async () => {
  lms = await startLms({ env: { TRUST_PROXY: '1' } })
})

const tryPassword = (email: string, password: string, network: string): Promise<Answer> =>
  post(lms.visitor(), { path: 'auth.login', network }, { email, password })

const tryWrong = (email: string, network: string, times: number): Promise<Answer[]> =>
  Promise.all(Array.from({ length: times }, () => tryPassword(email, 'wrong and wrong', network)))

const reasonsOf = (answers: Answer[]) => answers.map(({ reason }) => reason).sort()

const signInFrom = (person: Person, network: string) =>
  tryPassword(person.user.email, person.password, network)

describe('guessing a password', () => {
  it('is stopped after five wrong ones, with a hint when to come back', async () => {
    const { user } = await aStudent(lms)
    for (let guess = 1; guess <= 5; guess += 1)
      expect(await tryPassword(user.email, `wrong ${guess}`, AWAY)).toMatchObject({ status: 401 })
    const sixth = await tryPassword(user.email, 'wrong 6', AWAY)
    expect(sixth).toMatchObject({ status: 429, reason: 'TOO_MANY_REQUESTS' })
    expect(Number(sixth.retryAfter)).toBeGreaterThan(14 * 60)
    expect(Number(sixth.retryAfter)).toBeLessThanOrEqual(15 * 60)
  })

  it('does not keep the owner out, who comes from another network', async () => {
    const owner = await aStudent(lms)
    await tryWrong(owner.user.email, AWAY, 8)
    expect((await signInFrom(owner, HOME)).status).toBe(200)
    expect((await signInFrom(owner, '192.0.2.44')).status).toBe(200)
    expect((await signInFrom(owner, AWAY)).status).toBe(429)
  })

  it('is possible again when the window is over', async () => {
    const owner = await aStudent(lms)
    await tryWrong(owner.user.email, AWAY, 6)
    lms.clock.advance(15 * 60 + 1)
    expect((await signInFrom(owner, AWAY)).status).toBe(200)
  })

  it('begins anew after the right one, which is never counted', async () => {
    const owner = await aStudent(lms)
    for (let round = 0; round < 3; round += 1) {
      expect(reasonsOf(await tryWrong(owner.user.email, AWAY, 4))).toEqual(
        Array(4).fill('WRONG_CREDENTIALS'),
      )
      expect((await signInFrom(owner, AWAY)).status).toBe(200)
    }
  })

  it('is answered alike for an address that nobody has', async () => {
    const answers = await tryWrong('nobody-here@example.test', AWAY, 6)
    expect(reasonsOf(answers)).toEqual(['TOO_MANY_REQUESTS', ...times(5, 'WRONG_CREDENTIALS')])
  })

  it('counts every call of a batch, and those that run at once', async () => {
    const { user } = await aStudent(lms)
    const wrong = { json: { email: user.email, password: 'wrong and wrong' } }
    const response = await lms
      .visitor()
      .fetch(`/trpc/${Array(12).fill('auth.login').join(',')}?batch=1`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': '198.51.100.8' },
        body: JSON.stringify(
          Object.fromEntries(Array.from({ length: 12 }, (_, at) => [at, wrong])),
        ),
      })
    const body = (await response.json()) as { error: { json: { data: { reason: string } } } }[]
    const reasons = body.map(({ error }) => error.json.data.reason)
    expect(reasons.filter((reason) => reason === 'WRONG_CREDENTIALS')).toHaveLength(5)
    expect(reasons.filter((reason) => reason === 'TOO_MANY_REQUESTS')).toHaveLength(7)
  })

  it('is counted once for all instances', async () => {
    const second = await lms.another()
    const { user } = await aStudent(lms)
    await tryWrong(user.email, '198.51.100.9', 5)
    const response = await fetch(`${second.url}/trpc/auth.login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': '198.51.100.9' },
      body: JSON.stringify({ json: { email: user.email, password: 'wrong and wrong' } }),
    })
    expect(response.status).toBe(429)
  })

  it('takes all addresses of one IPv6 subscriber for one network', async () => {
    const { user } = await aStudent(lms)
    await tryWrong(user.email, '2001:db8:1:1::1', 5)
    expect((await tryWrong(user.email, '2001:db8:1:ff::2', 1))[0]?.status).toBe(429)
    expect((await tryWrong(user.email, '2001:db8:2:1::1', 1))[0]?.status).toBe(401)
  })
})

describe('guessing from one network', () => {
  it('is stopped when one password is tried on many accounts, but not for those at home there', async () => {
    const campus = '203.0.113.50'
    const regular = await aStudent(lms)
    expect((await signInFrom(regular, campus)).status).toBe(200)
    const answers = await Promise.all(
      Array.from({ length: 70 }, (_, at) =>
        tryPassword(`sprayed-${at}@example.test`, 'summer of 2026', campus),
      ),
    )
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(60)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(10)
    expect((await signInFrom(regular, campus)).status).toBe(200)
    const stranger = await aStudent(lms)
    expect((await signInFrom(stranger, campus)).status).toBe(429)
  })
})

describe('on a network from which too much was guessed', () => {
  /** Answers to a wrong password: of an account at home there, of one that is not, and of nobody. */
  async function answersOn(network: string) {
    const regular = await aStudent(lms)
    const stranger = await aStudent(lms)
    expect((await signInFrom(regular, network)).status).toBe(200)
    await close(network)
    const wrong = (email: string) => tryPassword(email, 'wrong and wrong', network)
    return {
      regular,
      stranger,
      answers: [
        await wrong(regular.user.email),
        await wrong(stranger.user.email),
        await wrong(`nobody-${network}@example.test`),
      ],
    }
  }

  const close = (network: string, guesses = 60) =>
    Promise.all(
      Array.from({ length: guesses }, (_, at) =>
        tryPassword(`guessed-${at}@example.test`, 'summer of 2026', network),
      ),
    )

  it('a wrong password is answered the same, whether there is an account or not', async () => {
    const { answers, regular, stranger } = await answersOn('203.0.113.60')
    const same = { status: 429, reason: 'TOO_MANY_REQUESTS' }
    for (const answer of answers) expect(answer).toMatchObject(same)
    expect(new Set(answers.map(({ body }) => withoutIds(body))).size).toBe(1)
    const waits = answers.map(({ retryAfter }) => Number(retryAfter))
    expect(Math.min(...waits)).toBeGreaterThan(10 * 60)
    expect(Math.max(...waits) - Math.min(...waits)).toBeLessThanOrEqual(30)
    expect((await signInFrom(regular, '203.0.113.60')).status).toBe(200)
    expect((await signInFrom(stranger, '203.0.113.60')).status).toBe(429)
  })

  const withoutIds = (body: string) => body.replace(/"requestId":"[^"]*"/, '')

  it('so it is after many networks have guessed one account', async () => {
    const owner = await aStudent(lms)
    const [home, nobody] = ['192.0.2.240', 'nobody-anywhere@example.test']
    expect((await signInFrom(owner, home)).status).toBe(200)
    const networks = Array.from({ length: 10 }, (_, at) => `192.0.2.${at + 150}`)
    await Promise.all(
      networks.flatMap((network) => [
        tryWrong(owner.user.email, network, 5),
        tryWrong(nobody, network, 5),
      ]),
    )
    const statuses = [owner.user.email, nobody].map(async (email) => {
      const [answer] = await tryWrong(email, home, 1)
      return answer?.status
    })
    expect(await Promise.all(statuses)).toEqual([429, 429])
    expect((await signInFrom(owner, home)).status).toBe(200)
  }, 120_000)

  it('a wrong password counts the same, so that the next answer tells nothing either', async () => {
    const counts: number[] = []
    for (const [network, isRegular] of [
      ['203.0.113.61', true],
      ['203.0.113.62', false],
    ] as const) {
      const regular = await aStudent(lms)
      expect((await signInFrom(regular, network)).status).toBe(200)
      await close(network, 59)
      const email = isRegular ? regular.user.email : 'nobody-at-all@example.test'
      counts.push((await tryPassword(email, 'wrong and wrong', network)).status)
      counts.push((await tryPassword('the-next@example.test', 'wrong', network)).status)
    }
    expect(counts).toEqual([401, 429, 401, 429])
  })
})

describe('guessing one account from many networks', () => {
  it('is stopped for networks the account does not know, and for no other', async () => {
    const owner = await aStudent(lms)
    const networks = Array.from({ length: 11 }, (_, at) => `192.0.2.${at + 100}`)
    const answers: Answer[] = []
    for (const network of networks) answers.push(...(await tryWrong(owner.user.email, network, 5)))
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(50)
    expect((await tryWrong(owner.user.email, '192.0.2.200', 1))[0]?.status).toBe(429)
    expect((await signInFrom(owner, HOME)).status).toBe(200)
  })
})

describe('X-Forwarded-For', () => {
  it('is not believed unless a proxy was configured', async () => {
    const bare = await startLms()
    const { user } = await aStudent(bare)
    const guess = (network: string) =>
      post(
        bare.visitor(),
        { path: 'auth.login', network },
        { email: user.email, password: 'wrong and wrong' },
      )
    const answers = []
    for (let at = 0; at < 7; at += 1) answers.push(await guess(`203.0.113.${at}`))
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 429, 429])
  })

  it('is believed for its last hop alone, so that a client cannot write its own', async () => {
    const { user } = await aStudent(lms)
    const answers = []
    for (let at = 0; at < 6; at += 1)
      answers.push(
        await tryPassword(user.email, 'wrong and wrong', `203.0.113.${at}, 198.51.100.77`),
      )
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 429])
  })
})

describe('guessing as someone who is signed in', () => {
  it('is stopped like a sign-in', async () => {
    const thief = await aStudent(lms)
    const guess = () =>
      post(thief, { path: 'auth.confirmPassword', network: AWAY }, { password: 'wrong and wrong' })
    const answers = await Promise.all(Array.from({ length: 8 }, guess))
    expect(reasonsOf(answers)).toEqual([
      ...times(3, 'TOO_MANY_REQUESTS'),
      ...times(5, 'WRONG_PASSWORD'),
    ])
  })
})

describe('using mailed links', () => {
  it('is stopped after twenty wrong ones from a network', async () => {
    const reset = () =>
      post(
        lms.visitor(),
        { path: 'auth.resetPassword', network: '198.51.100.90' },
        { token: 'x'.repeat(40), password: 'tulsi-garden-92' },
      )
    const answers = await Promise.all(Array.from({ length: 25 }, reset))
    expect(reasonsOf(answers)).toEqual([
      ...times(20, 'TOKEN_INVALID'),
      ...times(5, 'TOO_MANY_REQUESTS'),
    ])
  })
})
