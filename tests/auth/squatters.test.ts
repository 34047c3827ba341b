import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent, anAdmin } from '../support/builders/people.ts'
import { aVerified, codeOf, mailedToken, secondFactor } from '../support/builders/auth.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const NEW = 'mango-orchard-17'

const signIn = (email: string, password: string) =>
  lms.visitor().api.auth.login.mutate({ email, password })

describe('whoever registers the address of somebody else', () => {
  it.each([
    ['confirms the address', /Confirm/],
    ['asks for a new password', /new password/i],
  ])(
    'cannot keep the owner out by a second factor: it goes when the owner %s',
    async (_how, mail) => {
      const squatter = await aStudent(lms)
      const { user } = squatter
      await secondFactor(squatter, lms)
      if (mail.test('Confirm')) {
        const token = await mailedToken(lms, user.email, mail)
        await lms.visitor().api.auth.verifyEmail.mutate({ token })
      }
      const token = await ask(user.email)
      await lms.visitor().api.auth.resetPassword.mutate({ token, password: NEW })
      await expect(signIn(user.email, NEW)).resolves.toMatchObject({ id: user.id })
      expect(await squatter.api.auth.me.query()).toBeNull()
    },
  )

  it('stays signed in where they registered, when the link is opened elsewhere', async () => {
    const { api, user } = await aStudent(lms)
    const token = await mailedToken(lms, user.email, /Confirm/)
    await lms.visitor().api.auth.verifyEmail.mutate({ token })
    expect((await api.auth.me.query())?.user.emailVerified).toBe(true)
  })
})

async function ask(email: string): Promise<string> {
  lms.clock.advance(1)
  await lms.visitor().api.auth.requestPasswordReset.mutate({ email })
  return mailedToken(lms, email, /new password/i)
}

describe('whoever follows the link where they registered', () => {
  it('loses nothing by a second link that was under way', async () => {
    const person = await aStudent(lms)
    const first = await mailedToken(lms, person.user.email, /Confirm/)
    lms.clock.advance(5)
    await person.api.auth.resendVerification.mutate()
    await mailedToken(lms, person.user.email, /Confirm/)
    await person.api.auth.verifyEmail.mutate({ token: first })
    await secondFactor(person, lms)
    await refused(lms.visitor().api.auth.verifyEmail.mutate({ token: first }), 'TOKEN_INVALID')
    expect((await person.api.account.get.query()).secondFactor).toBe(true)
  })
})

describe('the owner of an account', () => {
  it('keeps their second factor when they confirm the address where they are signed in', async () => {
    const person = await aStudent(lms)
    const { secret } = await secondFactor(person, lms)
    const token = await mailedToken(lms, person.user.email, /Confirm/)
    await expect(person.api.auth.verifyEmail.mutate({ token })).resolves.toBeNull()
    expect((await person.api.account.get.query()).secondFactor).toBe(true)
    // And it is theirs for good: who reads their mail later cannot get past it.
    const reset = { token: await ask(person.user.email), password: NEW }
    await expect(lms.visitor().api.auth.resetPassword.mutate(reset)).resolves.toBeNull()
    await refused(signIn(person.user.email, NEW), 'TOTP_REQUIRED')
    const code = codeOf(secret, lms.clock.now(), 1)
    const login = { email: person.user.email, password: NEW, code }
    await expect(lms.visitor().api.auth.login.mutate(login)).resolves.toHaveProperty('id')
  })

  it('keeps it when the link is opened elsewhere, and is told when a new password takes it', async () => {
    const person = await aStudent(lms)
    const { email } = person.user
    await secondFactor(person, lms)
    const token = await mailedToken(lms, email, /Confirm/)
    await lms.visitor().api.auth.verifyEmail.mutate({ token })
    expect((await person.api.account.get.query()).secondFactor).toBe(true)
    await refused(signIn(email, person.password), 'TOTP_REQUIRED')
    const reset = { token: await ask(email), password: NEW }
    await expect(lms.visitor().api.auth.resetPassword.mutate(reset)).resolves.toEqual({
      secondFactorRemoved: true,
    })
    await lms.work()
    const mail = await lms.smtp.waitForMail(email, /second factor/, 2_000)
    expect(mail.text).toContain('set it up again')
    expect(mail.text).not.toContain('Asha')
    await expect(signIn(email, NEW)).resolves.toMatchObject({ id: person.user.id })
    const entries = await lms.db.orm.audit_entries.where({ target: `user:${person.user.id}` }).all()
    expect(entries.map(({ act }) => act)).toContain('auth.totp-taken')
  })

  it('keeps one that they made after the link was opened elsewhere', async () => {
    const person = await aStudent(lms)
    const token = await mailedToken(lms, person.user.email, /Confirm/)
    await lms.visitor().api.auth.verifyEmail.mutate({ token })
    await secondFactor(person, lms)
    const reset = { token: await ask(person.user.email), password: NEW }
    await expect(lms.visitor().api.auth.resetPassword.mutate(reset)).resolves.toBeNull()
    await refused(signIn(person.user.email, NEW), 'TOTP_REQUIRED')
  })
})

describe('whoever asks for a new password', () => {
  it('has a link that works, however often strangers asked before', async () => {
    const { user } = await aStudent(lms)
    for (let times = 0; times < 5; times += 1) await ask(user.email)
    lms.clock.advance(14 * 60)
    const token = await ask(user.email)
    const reset = { token, password: NEW }
    await expect(lms.visitor().api.auth.resetPassword.mutate(reset)).resolves.toBeNull()

    for (let times = 0; times < 5; times += 1) await ask(user.email)
    lms.clock.advance(31 * 60)
    const later = { token: await ask(user.email), password: 'another-mango-18' }
    await expect(lms.visitor().api.auth.resetPassword.mutate(later)).resolves.toBeNull()
  })
})

describe('an owner who has lost the authenticator', () => {
  it('is let in again by an administrator, with a recent password, and it is written down', async () => {
    const admin = await anAdmin(lms)
    const owner = await aVerified(lms)
    const { secret } = await secondFactor(owner, lms)
    const userId = owner.user.id
    lms.clock.advance(11 * 60)
    await refused(admin.api.users.resetSecondFactor.mutate({ userId }), 'PASSWORD_NEEDED')
    await admin.api.auth.confirmPassword.mutate({ password: admin.password })
    await refused(signIn(owner.user.email, owner.password), 'TOTP_REQUIRED')
    await admin.api.users.resetSecondFactor.mutate({ userId })
    expect(await owner.api.auth.me.query()).toBeNull()
    await expect(signIn(owner.user.email, owner.password)).resolves.toMatchObject({ id: userId })
    expect(codeOf(secret, lms.clock.now())).toHaveLength(6)
    const target = `user:${userId}`
    const [entry] = (await admin.api.admin.audit.query({ target })).items.filter(
      ({ actorId }) => actorId === admin.user.id,
    )
    expect(entry?.act).toBe('users.second-factor-reset')
    await refused(admin.api.users.resetSecondFactor.mutate({ userId }), 'TOTP_NOT_ON')
  })
})
