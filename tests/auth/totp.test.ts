import { beforeAll, describe, expect, it } from 'vitest'
import type { Person } from '../support/builders/people.ts'
import { aVerified, codeOf, post, secondFactor } from '../support/builders/auth.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

type Guarded = Person & { secret: string; recoveryCodes: string[] }

const STEP_SECONDS = 30

/** Someone with a second factor, and the clock early in a later step, so that the next code is a fresh one. */
async function guarded(): Promise<Guarded> {
  const person = await aVerified(lms)
  const factor = await secondFactor(person, lms)
  const intoStep = (lms.clock.now().getTime() / 1_000) % STEP_SECONDS
  // A second into it: clocks count whole milliseconds, and this is none.
  lms.clock.advance(2 * STEP_SECONDS - intoStep + 1)
  return { ...person, ...factor }
}

const signIn = ({ user, password }: Person, code?: string) =>
  lms.visitor().api.auth.login.mutate({
    email: user.email,
    password,
    ...(code !== undefined && { code }),
  })

const postSignIn = ({ user, password }: Person, code: string) =>
  post(lms.visitor(), { path: 'auth.login' }, { email: user.email, password, code })

describe('a second factor', () => {
  it('is set up from a uri that authenticators read, and confirmed by a code', async () => {
    const { api, user } = await aVerified(lms)
    const { uri, secret } = await api.auth.totp.start.mutate()
    const parsed = new URL(uri)
    expect(parsed.protocol).toBe('otpauth:')
    expect(decodeURIComponent(parsed.pathname)).toContain(user.email)
    expect(parsed.searchParams.get('secret')).toBe(secret)
    expect(parsed.searchParams.get('issuer')).toBe('Gurukul')
    expect(secret).toMatch(/^[A-Z2-7]{32}$/)

    expect((await api.account.get.query()).secondFactor).toBe(false)
    const { recoveryCodes } = await api.auth.totp.confirm.mutate({
      code: codeOf(secret, lms.clock.now()),
    })
    expect(new Set(recoveryCodes).size).toBe(10)
    expect((await api.account.get.query()).secondFactor).toBe(true)
  })

  it('is asked for at sign-in, and a code of the authenticator answers it', async () => {
    const person = await guarded()
    await refused(signIn(person), 'TOTP_REQUIRED')
    const code = codeOf(person.secret, lms.clock.now())
    await expect(signIn(person, code)).resolves.toMatchObject({ id: person.user.id })
  })

  it('takes a code of a clock that is half a minute wrong', async () => {
    const slow = await guarded()
    lms.clock.advance(30)
    await expect(signIn(slow, codeOf(slow.secret, lms.clock.now(), -1))).resolves.toBeTruthy()
    const fast = await guarded()
    await expect(signIn(fast, codeOf(fast.secret, lms.clock.now(), 1))).resolves.toBeTruthy()
  })

  it('is answered by a recovery code once, however it is written', async () => {
    const person = await guarded()
    const [code = ''] = person.recoveryCodes
    await expect(
      signIn(person, ` ${code.toUpperCase().replaceAll('-', ' ')} `),
    ).resolves.toMatchObject({ id: person.user.id })
    await refused(signIn(person, code), 'WRONG_CODE')
    await expect(signIn(person, person.recoveryCodes[1])).resolves.toBeTruthy()
  })

  it('keeps its recovery codes as hashes', async () => {
    const { user, recoveryCodes } = await guarded()
    const stored = await lms.db.orm.totps.where({ userId: user.id }).first()
    expect(stored?.recoveryHashes).toHaveLength(10)
    for (const code of recoveryCodes) {
      expect(JSON.stringify(stored)).not.toContain(code)
      expect(JSON.stringify(stored)).not.toContain(code.replaceAll('-', ''))
    }
  })

  it('is taken away with the password, a code and a recent sign-in', async () => {
    const person = await guarded()
    await person.api.auth.totp.disable.mutate({
      password: person.password,
      code: codeOf(person.secret, lms.clock.now()),
    })
    await expect(signIn(person)).resolves.toMatchObject({ id: person.user.id })
    await expect(person.api.auth.totp.start.mutate()).resolves.toHaveProperty('secret')
  })

  it('is not in force before its first code was confirmed', async () => {
    const person = await aVerified(lms)
    await person.api.auth.totp.start.mutate()
    await expect(signIn(person)).resolves.toMatchObject({ id: person.user.id })
  })
})

describe('a second factor is refused', () => {
  it('to a code that was used before, though its half minute still runs', async () => {
    const person = await guarded()
    const code = codeOf(person.secret, lms.clock.now())
    await signIn(person, code)
    await refused(signIn(person, code), 'WRONG_CODE')
    await refused(signIn(person, codeOf(person.secret, lms.clock.now(), -1)), 'WRONG_CODE')
  })

  it('to the code that confirmed it', async () => {
    const person = await aVerified(lms)
    const { secret } = await person.api.auth.totp.start.mutate()
    const code = codeOf(secret, lms.clock.now())
    await person.api.auth.totp.confirm.mutate({ code })
    await refused(signIn(person, code), 'WRONG_CODE')
  })

  it('to a code of another time, or of another secret', async () => {
    const [person, other] = [await guarded(), await guarded()]
    await refused(signIn(person, codeOf(person.secret, lms.clock.now(), 3)), 'WRONG_CODE')
    await refused(signIn(person, codeOf(other.secret, lms.clock.now())), 'WRONG_CODE')
    await refused(signIn(person, other.recoveryCodes[0]), 'WRONG_CODE')
  })

  it('to a right code with a wrong password, which tells nothing of the code', async () => {
    const person = await guarded()
    await refused(
      signIn({ ...person, password: 'not it at all' }, codeOf(person.secret, lms.clock.now())),
      'WRONG_CREDENTIALS',
    )
  })

  it('after five wrong codes, even when the sixth is right', async () => {
    const person = await guarded()
    const answers = []
    for (let guess = 0; guess < 5; guess += 1)
      answers.push(await postSignIn(person, `00000${guess}`))
    expect(answers.map(({ reason }) => reason)).toEqual(Array(5).fill('WRONG_CODE'))
    const right = await postSignIn(person, codeOf(person.secret, lms.clock.now()))
    expect(right).toMatchObject({ status: 429, reason: 'TOO_MANY_REQUESTS' })
  })

  it('to be set up over one that is on, or confirmed when there is none', async () => {
    const person = await guarded()
    await refused(person.api.auth.totp.start.mutate(), 'TOTP_ALREADY_ON')
    const none = await aVerified(lms)
    await refused(none.api.auth.totp.confirm.mutate({ code: '123456' }), 'TOTP_NOT_ON')
  })

  it('to be set up or taken away when the password is not recent, until it is confirmed', async () => {
    const person = await guarded()
    const removal = () => ({
      password: person.password,
      code: codeOf(person.secret, lms.clock.now()),
    })
    lms.clock.advance(10 * 60 + 1)
    await refused(person.api.auth.totp.disable.mutate(removal()), 'PASSWORD_NEEDED')
    await refused(person.api.auth.totp.start.mutate(), 'PASSWORD_NEEDED')
    await person.api.auth.confirmPassword.mutate({ password: person.password })
    await expect(person.api.auth.totp.disable.mutate(removal())).resolves.toBeNull()
  })

  it('to be taken away without the password or without a code', async () => {
    const { api, secret, password } = await guarded()
    const code = codeOf(secret, lms.clock.now())
    await refused(
      api.auth.totp.disable.mutate({ password: 'not it at all', code }),
      'WRONG_PASSWORD',
    )
    await refused(api.auth.totp.disable.mutate({ password, code: '000000' }), 'WRONG_CODE')
    expect((await api.account.get.query()).secondFactor).toBe(true)
  })
})

describe('one code, used many times at once', () => {
  it('opens one session when it is a recovery code', async () => {
    const person = await guarded()
    const [code = ''] = person.recoveryCodes
    const answers = await Promise.all(Array.from({ length: 5 }, () => postSignIn(person, code)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    const stored = await lms.db.orm.totps.where({ userId: person.user.id }).first()
    expect(stored?.recoveryHashes).toHaveLength(9)
  })

  it('opens one session when it is of the authenticator', async () => {
    const person = await guarded()
    const code = codeOf(person.secret, lms.clock.now())
    const answers = await Promise.all(Array.from({ length: 5 }, () => postSignIn(person, code)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  it('confirms a second factor once, so that the recovery codes shown are those that work', async () => {
    const person = await aVerified(lms)
    const { secret } = await person.api.auth.totp.start.mutate()
    const code = codeOf(secret, lms.clock.now())
    const confirmed = await Promise.allSettled(
      Array.from({ length: 4 }, () => person.api.auth.totp.confirm.mutate({ code })),
    )
    const [shown, ...others] = confirmed.filter((outcome) => outcome.status === 'fulfilled')
    expect(others).toEqual([])
    await expect(signIn(person, shown?.value.recoveryCodes[0])).resolves.toBeTruthy()
  })
})
