import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent, type Person } from '../support/builders/people.ts'
import { aVerified, mailedToken, post, secondFactor } from '../support/builders/auth.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms({ env: { TRUST_PROXY: '1' } })
})

const NEW = 'monsoon-over-kochi'

async function askForReset(email: string): Promise<string> {
  await lms.visitor().api.auth.requestPasswordReset.mutate({ email })
  return mailedToken(lms, email, /Choose a new password/)
}

const signIn = (email: string, password: string) =>
  lms.visitor().api.auth.login.mutate({ email, password })

const another = async ({ user, password }: Person) => {
  const visitor = lms.visitor()
  await visitor.api.auth.login.mutate({ email: user.email, password })
  return visitor
}

describe('a forgotten password', () => {
  it('is replaced by the link in a mail, which ends every session', async () => {
    const owner = await aStudent(lms)
    const elsewhere = await another(owner)
    const token = await askForReset(owner.user.email)
    await lms.visitor().api.auth.resetPassword.mutate({ token, password: NEW })

    expect(await owner.api.auth.me.query()).toBeNull()
    expect(await elsewhere.api.auth.me.query()).toBeNull()
    await refused(signIn(owner.user.email, owner.password), 'WRONG_CREDENTIALS')
    await expect(signIn(owner.user.email, NEW)).resolves.toMatchObject({ id: owner.user.id })
    await lms.work()
    await lms.smtp.waitForMail(owner.user.email, /password was changed/, 2_000)
  })

  it('verifies the address along the way, since only its reader has the link', async () => {
    const owner = await aStudent(lms)
    const token = await askForReset(owner.user.email)
    await lms.visitor().api.auth.resetPassword.mutate({ token, password: NEW })
    expect(await signIn(owner.user.email, NEW)).toMatchObject({ emailVerified: true })
  })

  it('gives an address back to its reader, with no second factor of whoever registered it', async () => {
    const squatter = await aVerified(lms)
    await secondFactor(squatter, lms)
    const unproven = { emailVerifiedAt: null }
    await lms.db.orm.users.where({ _id: squatter.user.id }).update(unproven)
    const token = await askForReset(squatter.user.email)
    await lms.visitor().api.auth.resetPassword.mutate({ token, password: NEW })
    await expect(signIn(squatter.user.email, NEW)).resolves.toMatchObject({
      id: squatter.user.id,
    })
  })

  it('keeps the second factor of an owner whose address was verified', async () => {
    const owner = await aStudent(lms)
    const verification = await mailedToken(lms, owner.user.email, /Confirm/)
    await owner.api.auth.verifyEmail.mutate({ token: verification })
    await secondFactor(owner, lms)
    const token = await askForReset(owner.user.email)
    await lms.visitor().api.auth.resetPassword.mutate({ token, password: NEW })
    await refused(signIn(owner.user.email, NEW), 'TOTP_REQUIRED')
  })

  it('lets its owner in at once where guesses had closed the door', async () => {
    const owner = await aStudent(lms)
    const network = '198.51.100.20'
    const login = (password: string) =>
      post(lms.visitor(), { path: 'auth.login', network }, { email: owner.user.email, password })
    for (let guess = 0; guess < 6; guess += 1) await login('wrong and wrong')
    expect((await login(owner.password)).status).toBe(429)
    const token = await askForReset(owner.user.email)
    const reset = { path: 'auth.resetPassword', network }
    expect((await post(lms.visitor(), reset, { token, password: NEW })).status).toBe(200)
    expect((await login(NEW)).status).toBe(200)
  })

  it('leaves nothing in the database that would work as a link', async () => {
    const { user } = await aStudent(lms)
    const token = await askForReset(user.email)
    const stored = [
      await lms.db.orm.email_tokens.where({ userId: user.id }).all(),
      await lms.db.orm.outbox_mails.where({ to: user.email }).all(),
    ]
    expect(stored[0]).not.toEqual([])
    expect(JSON.stringify(stored)).not.toContain(token)
    expect(lms.logs().join('\n')).not.toContain(token)
  })

  it('links to the configured address, whatever host the request names', async () => {
    const { user } = await aStudent(lms)
    await lms.visitor().fetch('/trpc/auth.requestPasswordReset', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-host': 'evil.test' },
      body: JSON.stringify({ json: { email: user.email } }),
    })
    await lms.work()
    const mail = await lms.smtp.waitForMail(user.email, /Choose a new password/, 2_000)
    expect(mail.text).toContain('http://localhost:5173/reset-password?token=')
    expect(mail.text + mail.html).not.toContain('evil.test')
  })
})

describe('a forgotten password is not replaced', () => {
  it('by a link that was used, is too old, or is for something else', async () => {
    const { user } = await aStudent(lms)
    const used = await askForReset(user.email)
    const reset = (token: string) =>
      lms.visitor().api.auth.resetPassword.mutate({ token, password: NEW })
    await reset(used)
    await refused(reset(used), 'TOKEN_INVALID')

    const old = await askForReset(user.email)
    lms.clock.advance(30 * 60 + 1)
    await refused(reset(old), 'TOKEN_INVALID')

    const verification = await mailedToken(lms, (await aStudent(lms)).user.email, /Confirm/)
    await refused(reset(verification), 'TOKEN_INVALID')
  })

  it('by a password that is easy to guess, and the link stays good', async () => {
    const { user } = await aStudent(lms)
    const token = await askForReset(user.email)
    const reset = (password: string) =>
      lms.visitor().api.auth.resetPassword.mutate({ token, password })
    await refused(reset('password1'), 'WEAK_PASSWORD')
    await expect(reset(NEW)).resolves.toBeNull()
  })

  it('for an address that nobody has, which is answered just the same', async () => {
    const { user } = await aStudent(lms)
    const ask = (email: string) =>
      post(lms.visitor(), { path: 'auth.requestPasswordReset' }, { email })
    const [known, unknown] = [await ask(user.email), await ask('nobody@example.test')]
    expect(unknown).toEqual(known)
    await lms.work()
    expect(lms.smtp.mails('nobody@example.test')).toEqual([])
    expect(lms.smtp.mails(user.email).length).toBeGreaterThan(0)
  })

  it('by flooding an address: three mails in a quarter of an hour, and no word about the rest', async () => {
    const { user } = await aStudent(lms)
    for (let ask = 0; ask < 6; ask += 1) {
      lms.clock.advance(1)
      await lms.visitor().api.auth.requestPasswordReset.mutate({ email: user.email })
    }
    await lms.work()
    const mails = lms.smtp.mails(user.email).filter(({ subject }) => subject.includes('Choose'))
    expect(mails).toHaveLength(3)
  })

  it('without end from one network', async () => {
    const ask = (at: number) =>
      post(
        lms.visitor(),
        { path: 'auth.requestPasswordReset', network: '198.51.100.99' },
        { email: `flood-${at}@example.test` },
      )
    const answers = await Promise.all(Array.from({ length: 35 }, (_, at) => ask(at)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(30)
    expect(answers.filter(({ reason }) => reason === 'TOO_MANY_REQUESTS')).toHaveLength(5)
  })
})

describe('changing a password', () => {
  it('ends the other sessions and gives this one a new id', async () => {
    const owner = await aStudent(lms)
    const elsewhere = await another(owner)
    const before = owner.cookie()
    await owner.api.auth.changePassword.mutate({ current: owner.password, next: NEW })

    expect(owner.cookie()).not.toBe(before)
    expect((await owner.api.auth.me.query())?.user.id).toBe(owner.user.id)
    expect(await elsewhere.api.auth.me.query()).toBeNull()
    const replay = lms.visitor()
    replay.setCookie('session', before.replace('session=', ''))
    expect(await replay.api.auth.me.query()).toBeNull()
    await expect(signIn(owner.user.email, NEW)).resolves.toMatchObject({ id: owner.user.id })
  })

  it('makes links that were mailed before useless', async () => {
    const owner = await aStudent(lms)
    const token = await askForReset(owner.user.email)
    await owner.api.auth.changePassword.mutate({ current: owner.password, next: NEW })
    await refused(
      lms.visitor().api.auth.resetPassword.mutate({ token, password: 'kite-over-jaipur' }),
      'TOKEN_INVALID',
    )
  })

  it('is refused without the present password, and with a weak new one', async () => {
    const { api, password } = await aStudent(lms)
    await refused(
      api.auth.changePassword.mutate({ current: 'not it at all', next: NEW }),
      'WRONG_PASSWORD',
    )
    const issues = await refused(
      api.auth.changePassword.mutate({ current: password, next: 'iloveyou1' }),
      'WEAK_PASSWORD',
    )
    expect(issues[0]?.path).toBe('next')
    expect(await api.auth.me.query()).not.toBeNull()
  })
})

describe('one reset link, used ten times at once', () => {
  it('sets one password: that of the use that won', async () => {
    const { user } = await aStudent(lms)
    const token = await askForReset(user.email)
    const passwords = Array.from({ length: 10 }, (_, at) => `red-kite-number-${at}`)
    const answers = await Promise.all(
      passwords.map((password) =>
        post(lms.visitor(), { path: 'auth.resetPassword' }, { token, password }),
      ),
    )
    const won = passwords.filter((_, at) => answers[at]?.status === 200)
    expect(won).toHaveLength(1)
    expect(answers.filter(({ reason }) => reason === 'TOKEN_INVALID')).toHaveLength(9)
    await expect(signIn(user.email, won[0] ?? '')).resolves.toMatchObject({ id: user.id })
  })
})

describe('two changes of one password at once', () => {
  it('let one through and keep the account usable with it', async () => {
    const owner = await aStudent(lms)
    const other = await another(owner)
    const change = (visitor: typeof other, next: string) =>
      post(visitor, { path: 'auth.changePassword' }, { current: owner.password, next })
    const answers = await Promise.all([
      change(owner, 'first-new-password'),
      change(other, 'second-new-password'),
    ])
    const won = ['first-new-password', 'second-new-password'].filter(
      (_, at) => answers[at]?.status === 200,
    )
    expect(won).toHaveLength(1)
    await expect(signIn(owner.user.email, won[0] ?? '')).resolves.toMatchObject({
      id: owner.user.id,
    })
  })
})
