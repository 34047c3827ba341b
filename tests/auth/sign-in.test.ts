import { Argon2id } from 'oslo/password'
import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent, anAdmin } from '../support/builders/people.ts'
import { post } from '../support/builders/auth.ts'
import { refused } from '../support/client.ts'
import { ORIGIN, startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const headersOf = (email: string, password: string) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ json: { email, password } }),
})

describe('signing in', () => {
  it('answers the user and sets one cookie that scripts cannot read', async () => {
    const { user, password } = await aStudent(lms)
    const response = await lms.visitor().fetch('/trpc/auth.login', headersOf(user.email, password))
    expect(response.status).toBe(200)
    const [cookie = '', ...others] = response.headers.getSetCookie()
    expect(others).toEqual([])
    expect(cookie).toMatch(/^session=[a-z0-9]{40};/)
    expect(cookie).toMatch(/HttpOnly/)
    expect(cookie).toMatch(/SameSite=Lax/)
    expect(cookie).toMatch(/Path=\//)
    expect(cookie).not.toMatch(/Domain/i)
  })

  it('sets a __Host- cookie for https alone when the product is reached by https', async () => {
    const secure = await startLms({ env: { APP_URL: 'https://learn.example.test' } })
    const { user, password } = await aStudent(secure)
    const response = await secure
      .visitor()
      .fetch('/trpc/auth.login', headersOf(user.email, password))
    const [cookie = ''] = response.headers.getSetCookie()
    expect(cookie).toMatch(/^__Host-session=[a-z0-9]{40};/)
    expect(cookie).toMatch(/Secure/)
    expect(cookie).not.toMatch(/Domain/i)
  })

  it('stores no session id that a stolen database would give away', async () => {
    const student = await aStudent(lms)
    const token = student.cookie().replace('session=', '')
    const rows = await lms.db.orm.sessions.where({ userId: student.user.id }).all()
    expect(rows).toHaveLength(1)
    expect(JSON.stringify(rows)).not.toContain(token)
  })

  it('makes a new id whatever cookie was there before, and ends the old one', async () => {
    const victim = lms.visitor()
    const { user, password } = await aStudent(lms)
    victim.setCookie('session', 'a'.repeat(40))
    await victim.api.auth.login.mutate({ email: user.email, password })
    expect(victim.cookie()).not.toContain('a'.repeat(40))

    const first = victim.cookie()
    await victim.api.auth.login.mutate({ email: user.email, password })
    expect(victim.cookie()).not.toBe(first)
    const thief = lms.visitor()
    thief.setCookie('session', first.replace('session=', ''))
    expect(await thief.api.auth.me.query()).toBeNull()
  })

  it('hashes the password anew when the parameters have risen since', async () => {
    const { user, password } = await aStudent(lms)
    const weak = await new Argon2id({ memorySize: 8192, iterations: 1, parallelism: 1 }).hash(
      password,
    )
    await lms.db.orm.users.where({ _id: user.id }).update({ passwordHash: weak })
    const login = () => lms.visitor().api.auth.login.mutate({ email: user.email, password })
    await Promise.all([login(), login(), login()])
    const stored = await lms.db.orm.users.where({ _id: user.id }).first()
    expect(stored?.passwordHash).toMatch(/m=19456,t=2,p=1/)
    await expect(login()).resolves.toMatchObject({ id: user.id })
  })

  it('is counted in the audit log, well or badly ended', async () => {
    const { user, password } = await aStudent(lms)
    await lms.visitor().api.auth.login.mutate({ email: user.email, password })
    await refused(
      lms.visitor().api.auth.login.mutate({ email: user.email, password: 'not it at all' }),
      'WRONG_CREDENTIALS',
    )
    const entries = await lms.db.orm.audit_entries.where({ target: `user:${user.id}` }).all()
    expect(entries.map(({ act }) => act).sort()).toEqual([
      'auth.registered',
      'auth.sign-in-failed',
      'auth.signed-in',
    ])
    expect(JSON.stringify(entries)).not.toContain(user.email)
  })
})

describe('signing out', () => {
  it('ends the session, so that its cookie opens nothing any more', async () => {
    const student = await aStudent(lms)
    const cookie = student.cookie()
    await student.api.auth.logout.mutate()
    expect(student.cookie()).toBe('')
    const replay = lms.visitor()
    replay.setCookie('session', cookie.replace('session=', ''))
    await refused(replay.api.account.get.query(), 'UNAUTHENTICATED')
  })
})

describe('signing in is refused', () => {
  it('with one and the same answer for an unknown address, a wrong password and a disabled account', async () => {
    const known = await aStudent(lms)
    const disabled = await aStudent(lms)
    await lms.db.orm.users.where({ _id: disabled.user.id }).update({ disabledAt: new Date() })
    const answers = await Promise.all([
      post(lms.visitor(), { path: 'auth.login' }, { email: 'no@one.test', password: 'x1x2x3x4' }),
      post(
        lms.visitor(),
        { path: 'auth.login' },
        { email: known.user.email, password: 'x1x2x3x4' },
      ),
      post(
        lms.visitor(),
        { path: 'auth.login' },
        { email: disabled.user.email, password: disabled.password },
      ),
    ])
    const bodies = answers.map(({ body }) => body.replace(/"requestId":"[^"]+"/, ''))
    expect(new Set(bodies).size).toBe(1)
    expect(answers.map(({ status, reason }) => [status, reason])).toEqual(
      Array(3).fill([401, 'WRONG_CREDENTIALS']),
    )
  })

  it.each([
    ['an operator as the address', { email: { $ne: null }, password: 'x' }],
    ['an operator as the password', { email: 'a@b.test', password: { $gt: '' } }],
    ['a list of addresses', { email: ['a@b.test'], password: 'x' }],
    ['a password of a megabyte', { email: 'a@b.test', password: 'x'.repeat(200_000) }],
  ])('before anything is looked up with %s', async (_what, input) => {
    const answer = await post(lms.visitor(), { path: 'auth.login' }, input)
    expect(answer).toMatchObject({ status: 400, reason: 'INVALID_INPUT' })
  })

  it('from a page of another origin, though the cookie came along', async () => {
    const student = await aStudent(lms)
    const logout = (headers: Record<string, string>) =>
      post(student, { path: 'auth.logout', headers }, undefined)
    expect(await logout({ origin: 'https://evil.test' })).toMatchObject({
      status: 403,
      reason: 'ORIGIN_REFUSED',
    })
    expect((await logout({ origin: 'null' })).reason).toBe('ORIGIN_REFUSED')
    expect((await student.api.auth.me.query())?.user.id).toBe(student.user.id)
    expect((await logout({ origin: ORIGIN })).status).toBe(200)
    expect(await student.api.auth.me.query()).toBeNull()
  })
})

describe('a sign-in that races a change of the account', () => {
  it('never leaves a session behind that was opened with the old password', async () => {
    for (let round = 0; round < 4; round += 1) {
      const { api, user, password } = await aStudent(lms)
      const late = lms.visitor()
      const [signIn] = await Promise.allSettled([
        late.api.auth.login.mutate({ email: user.email, password }),
        api.auth.changePassword.mutate({ current: password, next: `new ${password}` }),
      ])
      const who = await late.api.auth.me.query()
      if (signIn.status === 'rejected') expect(who).toBeNull()
      const left = await lms.db.orm.sessions.where({ userId: user.id }).all()
      expect(left).toHaveLength(1)
      expect((await api.auth.me.query())?.user.id).toBe(user.id)
    }
  })

  it('leaves none behind for an account that was disabled meanwhile', async () => {
    const admin = await anAdmin(lms)
    const { user, password } = await aStudent(lms)
    await Promise.allSettled([
      lms.visitor().api.auth.login.mutate({ email: user.email, password }),
      admin.api.users.disable.mutate({ userId: user.id }),
    ])
    await admin.api.users.enable.mutate({ userId: user.id })
    expect(await lms.db.orm.sessions.where({ userId: user.id }).all()).toEqual([])
  })
})
