import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent } from '../support/builders/people.ts'
import { mailedToken, post } from '../support/builders/auth.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const someone = (email: string) => ({ name: 'Asha Rao', email, password: 'tulsi-garden-92' })

describe('registering', () => {
  it('makes a student and signs them in', async () => {
    const visitor = lms.visitor()
    const user = await visitor.api.auth.register.mutate(someone('Asha.One@Example.test'))
    expect(user).toMatchObject({
      name: 'Asha Rao',
      email: 'asha.one@example.test',
      role: 'STUDENT',
      emailVerified: false,
      avatarUrl: null,
    })
    expect((await visitor.api.auth.me.query())?.user).toEqual(user)
  })

  it('answers and stores nothing of the password but its hash', async () => {
    const visitor = lms.visitor()
    const answer = await post(visitor, { path: 'auth.register' }, someone('asha.two@example.test'))
    expect(answer.status).toBe(200)
    expect(answer.body).not.toMatch(/argon|hash|tulsi/i)
    const stored = await lms.db.orm.users.where({ email: 'asha.two@example.test' }).first()
    expect(stored?.passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  })

  it('takes no role, id or verification from the caller', async () => {
    const email = 'asha.three@example.test'
    const wish = { role: 'ADMIN', id: 'a'.repeat(24), emailVerified: true, emailVerifiedAt: 1 }
    await post(lms.visitor(), { path: 'auth.register' }, { ...someone(email), ...wish })
    const stored = await lms.db.orm.users.where({ email }).first()
    expect(stored).toMatchObject({ role: 'STUDENT', email })
    expect(stored?.emailVerifiedAt ?? null).toBeNull()
    expect(stored?._id).not.toBe('a'.repeat(24))
  })

  it('mails a link that verifies the address, once, without being signed in', async () => {
    const student = await aStudent(lms)
    const token = await mailedToken(lms, student.user.email, /Confirm your address/)
    await lms.visitor().api.auth.verifyEmail.mutate({ token })
    const { user, password } = student
    const again = await lms.visitor().api.auth.login.mutate({ email: user.email, password })
    expect(again.emailVerified).toBe(true)
    await refused(lms.visitor().api.auth.verifyEmail.mutate({ token }), 'TOKEN_INVALID')
  })

  it('mails the link again on request, and not once it is verified', async () => {
    const student = await aStudent(lms)
    await mailedToken(lms, student.user.email, /Confirm/)
    lms.clock.advance(5)
    await student.api.auth.resendVerification.mutate()
    const token = await mailedToken(lms, student.user.email, /Confirm/)
    expect(lms.smtp.mails(student.user.email)).toHaveLength(2)
    await student.api.auth.verifyEmail.mutate({ token })
    await student.api.auth.resendVerification.mutate()
    await lms.work()
    expect(lms.smtp.mails(student.user.email)).toHaveLength(2)
  })
})

describe('registering is refused', () => {
  it('for an address that is taken, in whatever case it is written', async () => {
    const { user } = await aStudent(lms)
    const again = someone(user.email.toUpperCase())
    await refused(lms.visitor().api.auth.register.mutate(again), 'EMAIL_TAKEN')
  })

  it.each([
    ['a common password', 'Password123'],
    ['another common password', 'qwertyuiop'],
    ['the address itself', 'shy.reader@example.test'],
    ['the first part of the address with a year', 'shy.reader1999'],
    ['the name', 'asharao1'],
    ['one letter, many times', 'aaaaaaaaaaaa'],
  ])('with %s as the password', async (_what, password) => {
    const email = 'shy.reader@example.test'
    const issues = await refused(
      lms.visitor().api.auth.register.mutate({ ...someone(email), password }),
      'WEAK_PASSWORD',
    )
    expect(issues[0]?.path).toBe('password')
    expect(await lms.db.orm.users.where({ email }).first()).toBeNull()
  })

  it('with seven characters or more than 128, but not with a passphrase of 64', async () => {
    const register = (email: string, password: string) =>
      lms.visitor().api.auth.register.mutate({ ...someone(email), password })
    await refused(register('a7@example.test', 'k3#kd9s'), 'INVALID_INPUT')
    await refused(register('a129@example.test', 'k3#kd9s '.repeat(17)), 'INVALID_INPUT')
    const passphrase = 'every good river runs past a red house with nine old windows ok!'
    await expect(register('a64@example.test', passphrase)).resolves.toMatchObject({
      email: 'a64@example.test',
    })
    expect(passphrase).toHaveLength(64)
  })

  it('with hidden characters in the name', async () => {
    const call = lms.visitor().api.auth.register.mutate({
      ...someone('bidi@example.test'),
      name: 'Asha \u202eoaR',
    })
    await refused(call, 'INVALID_INPUT')
  })

  it('with a verification token that is too old or was never made', async () => {
    const { user } = await aStudent(lms)
    const token = await mailedToken(lms, user.email, /Confirm/)
    await refused(
      lms.visitor().api.auth.verifyEmail.mutate({ token: 'a'.repeat(40) }),
      'TOKEN_INVALID',
    )
    lms.clock.advance(24 * 60 * 60 + 1)
    await refused(lms.visitor().api.auth.verifyEmail.mutate({ token }), 'TOKEN_INVALID')
  })

  it('when one network registers more than it may in an hour', async () => {
    const small = await startLms({ env: { REGISTRATIONS_PER_HOUR: '2', TRUST_PROXY: '1' } })
    const register = (email: string, network: string) =>
      post(small.visitor(), { path: 'auth.register', network }, someone(email))
    expect((await register('n1@example.test', '203.0.113.9')).status).toBe(200)
    expect((await register('n2@example.test', '203.0.113.9')).status).toBe(200)
    expect(await register('n3@example.test', '203.0.113.9')).toMatchObject({
      status: 429,
      reason: 'TOO_MANY_REQUESTS',
    })
    expect((await register('n4@example.test', '203.0.113.10')).status).toBe(200)
    small.clock.advance(3601)
    expect((await register('n5@example.test', '203.0.113.9')).status).toBe(200)
  })
})

describe('registering one address many times at once', () => {
  it('makes one account and refuses the others', async () => {
    const email = 'raced@example.test'
    const calls = Array.from({ length: 20 }, () =>
      post(lms.visitor(), { path: 'auth.register' }, someone(email)),
    )
    const answers = await Promise.all(calls)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ reason }) => reason === 'EMAIL_TAKEN')).toHaveLength(19)
    expect(await lms.db.orm.users.where({ email }).all()).toHaveLength(1)
    await lms.work()
    expect(lms.smtp.mails(email)).toHaveLength(1)
  })

  it('lets one of many uses of a verification link through', async () => {
    const { user } = await aStudent(lms)
    const token = await mailedToken(lms, user.email, /Confirm/)
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        post(lms.visitor(), { path: 'auth.verifyEmail' }, { token }),
      ),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })
})
