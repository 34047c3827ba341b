import { beforeAll, describe, expect, it } from 'vitest'
import { audit } from '../../src/audit.ts'
import { aStudent } from '../support/builders/people.ts'
import { aVerified, codeOf, post, secondFactor } from '../support/builders/auth.ts'
import { startLms, type Lms } from '../support/harness.ts'

// What other tests would not notice when it is gone.
let lms: Lms
beforeAll(async () => {
  lms = await startLms({ env: { TRUST_PROXY: '1' } })
})

const times = (count: number, reason: string): string[] =>
  Array.from({ length: count }, () => reason)

const median = (numbers: number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0

describe('an address that nobody has', () => {
  it('is refused as slowly as a wrong password', async () => {
    const { user } = await aStudent(lms)
    const timed = async (email: string, at: number) => {
      const began = performance.now()
      const call = { path: 'auth.login', network: `198.51.100.${at}` }
      const { status } = await post(lms.visitor(), call, { email, password: 'wrong and wrong' })
      expect(status).toBe(401)
      return performance.now() - began
    }
    const [known, unknown]: [number[], number[]] = [[], []]
    for (let at = 0; at < 25; at += 1) {
      known.push(await timed(user.email, at))
      unknown.push(await timed(`nobody-${at}@example.test`, at + 100))
    }
    // One Argon2 hash takes most of it; without one, an answer takes a fraction.
    expect(median(unknown) / median(known)).toBeGreaterThan(0.6)
    expect(median(unknown) / median(known)).toBeLessThan(1.7)
  })
})

describe('on a network that is closed to guessing', () => {
  it('an account takes as long as an address that nobody has', async () => {
    const network = '198.51.100.250'
    const guess = (email: string) =>
      post(lms.visitor(), { path: 'auth.login', network }, { email, password: 'wrong and wrong' })
    const regulars = await Promise.all(Array.from({ length: 4 }, () => aStudent(lms)))
    for (const { user, password } of regulars) {
      const call = { path: 'auth.login', network }
      expect((await post(lms.visitor(), call, { email: user.email, password })).status).toBe(200)
    }
    for (let at = 0; at < 60; at += 1) await guess(`guessed-${at}@example.test`)
    const timed = async (email: string) => {
      const began = performance.now()
      expect((await guess(email)).status).toBe(429)
      return performance.now() - began
    }
    const [known, unknown]: [number[], number[]] = [[], []]
    for (let at = 0; at < 20; at += 1) {
      known.push(await timed(regulars[at % 4]?.user.email ?? ''))
      unknown.push(await timed(`nobody-there-${at}@example.test`))
    }
    expect(median(unknown) / median(known)).toBeGreaterThan(0.6)
    expect(median(unknown) / median(known)).toBeLessThan(1.7)
  })
})

describe('the audit log', () => {
  it('keeps no secret and names nobody, however deep they lie', async () => {
    const target = 'test:redaction'
    await audit(lms.deps, {
      actor: null,
      act: 'test.redacted',
      target,
      before: { email: 'asha@example.test', role: 'ADMIN', passwordHash: 'pw-1' },
      after: {
        token: 'tok-1',
        list: [{ code: '123456', kept: 1 }],
        deep: { buyer: { name: 'Asha', address: 'Kochi', gstin: '32ABC', until: 'then' } },
        long: 'x'.repeat(2_000),
      },
    })
    const entry = await lms.db.orm.audit_entries.where({ target }).first()
    const gone = '[redacted]'
    expect(entry?.before).toEqual({ email: gone, role: 'ADMIN', passwordHash: gone })
    expect(entry?.after).toEqual({
      token: gone,
      list: [{ code: gone, kept: 1 }],
      deep: { buyer: { name: gone, address: gone, gstin: gone, until: 'then' } },
      long: 'x'.repeat(500),
    })
  })
})

describe('codes of a second factor', () => {
  it('are not guessed while it is set up', async () => {
    const person = await aVerified(lms)
    const { secret } = await person.api.auth.totp.start.mutate()
    const guess = (code: string) => post(person, { path: 'auth.totp.confirm' }, { code })
    const reasons = []
    for (let at = 0; at < 6; at += 1) reasons.push((await guess(`00000${at}`)).reason)
    expect(reasons).toEqual([...times(5, 'WRONG_CODE'), 'TOO_MANY_REQUESTS'])
    expect((await guess(codeOf(secret, lms.clock.now()))).status).toBe(429)
  })

  it('are not guessed while it is taken away', async () => {
    const person = await aVerified(lms)
    const { secret } = await secondFactor(person, lms)
    lms.clock.advance(30)
    const { password } = person
    const guess = (code: string) => post(person, { path: 'auth.totp.disable' }, { password, code })
    const reasons = []
    for (let at = 0; at < 6; at += 1) reasons.push((await guess(`00000${at}`)).reason)
    expect(reasons).toEqual([...times(5, 'WRONG_CODE'), 'TOO_MANY_REQUESTS'])
    expect((await guess(codeOf(secret, lms.clock.now()))).status).toBe(429)
  })
})

describe('a mail to confirm an address', () => {
  it('is sent again three times an hour', async () => {
    const { api, user } = await aStudent(lms)
    const ask = () => api.auth.resendVerification.mutate().then(() => true)
    for (let at = 0; at < 3; at += 1) {
      lms.clock.advance(1)
      expect(await ask()).toBe(true)
    }
    expect(await ask().catch(() => false)).toBe(false)
    await lms.work()
    expect(lms.smtp.mails(user.email)).toHaveLength(4)
    lms.clock.advance(3601)
    expect(await ask()).toBe(true)
  })
})

describe('a session of somebody who was disabled', () => {
  it('opens nothing, also when its row is still there', async () => {
    const { api, user } = await aStudent(lms)
    const disabledAt = lms.clock.now()
    await lms.db.orm.users.where({ _id: user.id }).update({ disabledAt })
    expect(await api.auth.me.query()).toBeNull()
  })
})
