import { beforeAll, describe, expect, it } from 'vitest'
import { aVerified, mailedToken } from '../support/builders/auth.ts'
import { aStudent, anAdmin, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { runJob, startLms, type Lms } from '../support/harness.ts'
import { jobs } from '../../src/router.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

let count = 0
const aNewAddress = () => `moved-${(count += 1)}@example.test`

const OLD = /about to change/
const NEW = /Confirm your new address/
const CHANGED = /address was changed/

const confirm = (token: string, { api } = lms.visitor()) =>
  api.auth.confirmEmailChange.mutate({ token })

const signIn = (email: string, password: string) =>
  lms.visitor().api.auth.login.mutate({ email, password })

const sendMails = async () => {
  for (const job of jobs) if (job.name === 'send-mails') await runJob(job, lms.deps)
}

/** Both links of a change that its owner asked for. */
async function asked({ api, user, password }: Person, email = aNewAddress()) {
  await api.auth.requestEmailChange.mutate({ email, password })
  await sendMails()
  return {
    email,
    oldToken: await mailedToken(lms, user.email, OLD),
    newToken: await mailedToken(lms, email, NEW),
  }
}

describe('a change of address', () => {
  it('is made when both ends have confirmed it, and ends every other session', async () => {
    const person = await aVerified(lms, 'Asha Rao')
    const { user, password, api } = person
    const elsewhere = lms.visitor()
    await elsewhere.api.auth.login.mutate({ email: user.email, password })
    const { email, oldToken, newToken } = await asked(person)
    expect(await api.auth.emailChange.query()).toMatchObject({
      email,
      oldProven: false,
      newProven: false,
    })
    expect(await confirm(newToken, person)).toEqual({ status: 'OLD_NEEDED' })
    expect(await confirm(newToken, person)).toEqual({ status: 'OLD_NEEDED' })
    await expect(signIn(user.email, password)).resolves.toMatchObject({ id: user.id })
    await refused(signIn(email, password), 'WRONG_CREDENTIALS')
    expect(await confirm(oldToken, person)).toEqual({ status: 'CHANGED' })
    expect((await api.auth.me.query())?.user).toMatchObject({ email, emailVerified: true })
    expect(await elsewhere.api.auth.me.query()).toBeNull()
    await refused(signIn(user.email, password), 'WRONG_CREDENTIALS')
    await expect(signIn(email, password)).resolves.toMatchObject({ id: user.id })
    expect(await api.auth.emailChange.query()).toBeNull()
    for (const token of [oldToken, newToken]) await refused(confirm(token), 'TOKEN_INVALID')
    const { items } = await (
      await anAdmin(lms)
    ).api.admin.audit.query({ target: `user:${user.id}` })
    expect(items.map(({ act }) => act)).toEqual(
      expect.arrayContaining(['auth.email-change-asked', 'auth.email-changed']),
    )
    expect(JSON.stringify(items)).not.toMatch(/@example\.test/)
  })

  it('needs the password, another address, and one that nobody has', async () => {
    const { api, user, password } = await aVerified(lms)
    const other = await aStudent(lms)
    const ask = (email: string, given = password) =>
      api.auth.requestEmailChange.mutate({ email, password: given })
    await refused(ask(aNewAddress(), 'not it at all'), 'WRONG_PASSWORD')
    await refused(ask(user.email.toUpperCase()), 'INVALID_INPUT')
    await refused(ask(other.user.email), 'EMAIL_TAKEN')
    expect(await api.auth.emailChange.query()).toBeNull()
    for (let time = 0; time < 3; time += 1) await ask(aNewAddress())
    await refused(ask(aNewAddress()), 'TOO_MANY_REQUESTS')
  })

  it('takes no address away from whoever registers it meanwhile', async () => {
    const person = await aVerified(lms)
    const { email, oldToken, newToken } = await asked(person)
    await confirm(newToken)
    const owner = lms.visitor()
    const mine = { name: 'Ravi', email, password: 'mango-orchard-17' }
    await owner.api.auth.register.mutate(mine)
    await refused(confirm(oldToken), 'EMAIL_TAKEN')
    expect((await owner.api.auth.me.query())?.user.email).toBe(email)
    expect((await person.api.auth.me.query())?.user.email).toBe(person.user.email)
  })

  it('is one account’s, of two who want the same address at once', async () => {
    const people = [await aVerified(lms), await aVerified(lms)]
    const email = aNewAddress()
    const tokens: string[] = []
    for (const person of people) {
      const { oldToken, newToken } = await asked(person, email)
      await confirm(newToken)
      tokens.push(oldToken)
    }
    const ends = await Promise.allSettled(tokens.map((token) => confirm(token)))
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await lms.db.orm.users.where({ email }).all()).toHaveLength(1)
  })

  it('is made once by both ends at the same moment', async () => {
    for (let round = 0; round < 3; round += 1) {
      const person = await aVerified(lms)
      const { email, oldToken, newToken } = await asked(person)
      await Promise.allSettled([oldToken, newToken, oldToken].map((token) => confirm(token)))
      const stored = await lms.db.orm.users.where({ _id: person.user.id }).first()
      expect(stored?.email).toBe(email)
      await sendMails()
      const told = lms.smtp
        .mails(person.user.email)
        .filter(({ subject }) => subject.includes('was changed'))
      expect(told).toHaveLength(1)
    }
  })

  it('leaves no link of the old address, and none of a wish that was dropped', async () => {
    const person = await aVerified(lms)
    const { api, user } = person
    const first = await asked(person)
    const second = await asked(person)
    for (const token of [first.oldToken, first.newToken])
      await refused(confirm(token), 'TOKEN_INVALID')
    await lms.visitor().api.auth.requestPasswordReset.mutate({ email: user.email })
    const token = await mailedToken(lms, user.email, /new password/i)
    await confirm(second.newToken)
    await confirm(second.oldToken)
    const reset = { token, password: 'mango-orchard-17' }
    await refused(lms.visitor().api.auth.resetPassword.mutate(reset), 'TOKEN_INVALID')
    const again = await aVerified(lms)
    const dropped = await asked(again)
    await again.api.auth.cancelEmailChange.mutate()
    await refused(confirm(dropped.newToken), 'TOKEN_INVALID')
    expect((await api.auth.me.query())?.user).toBeUndefined()
  })

  it('is stopped by whoever chooses a new password, and ends after a day', async () => {
    const person = await aVerified(lms)
    const { newToken } = await asked(person)
    const { api, password } = person
    await api.auth.changePassword.mutate({ current: password, next: 'mango-orchard-17' })
    await refused(confirm(newToken), 'TOKEN_INVALID')
    const late = await aVerified(lms)
    const { newToken: old } = await asked(late)
    lms.clock.advance(24 * 3600 + 1)
    await refused(confirm(old), 'TOKEN_INVALID')
  })

  it('from an address nobody proved needs the new end alone, and tells the old one', async () => {
    const person = await aStudent(lms, 'Your bank card was blocked')
    const { api, user, password } = person
    const email = aNewAddress()
    await api.auth.requestEmailChange.mutate({ email, password })
    const token = await mailedToken(lms, email, NEW)
    const [notice] = lms.smtp
      .mails(user.email)
      .filter(({ subject }) => subject.includes('about to change'))
    expect(notice?.text).not.toMatch(/token=|bank|Hello|moved-/)
    expect(await confirm(token)).toEqual({ status: 'CHANGED' })
    await expect(signIn(email, password)).resolves.toMatchObject({ emailVerified: true })
  })
})

describe('the address that was left', () => {
  it('takes the account back within a week, without the password that changed it', async () => {
    const person = await aVerified(lms)
    const { user, password } = person
    const { email, oldToken, newToken } = await asked(person)
    await confirm(newToken)
    await confirm(oldToken)
    await signIn(email, password)
    const token = await mailedToken(lms, user.email, CHANGED)
    lms.clock.advance(6 * 24 * 3600)
    await lms.visitor().api.auth.undoEmailChange.mutate({ token })
    for (const address of [email, user.email])
      await refused(signIn(address, password), 'WRONG_CREDENTIALS')
    await refused(lms.visitor().api.auth.undoEmailChange.mutate({ token }), 'TOKEN_INVALID')
    const reset = {
      token: await mailedToken(lms, user.email, /new password/i),
      password: 'mango-orchard-17',
    }
    await lms.visitor().api.auth.resetPassword.mutate(reset)
    await expect(signIn(user.email, reset.password)).resolves.toMatchObject({ id: user.id })
  })

  it('cannot after a week', async () => {
    const person = await aVerified(lms)
    const { oldToken, newToken } = await asked(person)
    await confirm(newToken)
    await confirm(oldToken)
    const token = await mailedToken(lms, person.user.email, CHANGED)
    lms.clock.advance(7 * 24 * 3600 + 1)
    await refused(lms.visitor().api.auth.undoEmailChange.mutate({ token }), 'TOKEN_INVALID')
  })
})

describe('an administrator', () => {
  it('opens a change for somebody whose mailbox is lost; the new one is proven all the same', async () => {
    const admin = await anAdmin(lms)
    const { user, password } = await aVerified(lms)
    const email = aNewAddress()
    const change = { userId: user.id, email }
    await admin.api.users.changeEmail.mutate(change)
    await sendMails()
    await refused(signIn(email, password), 'WRONG_CREDENTIALS')
    expect(lms.smtp.mails(user.email).map(({ subject }) => subject)).toEqual([
      expect.stringMatching(OLD),
    ])
    await confirm(await mailedToken(lms, email, NEW))
    await expect(signIn(email, password)).resolves.toMatchObject({ id: user.id })
    const colleague = await anAdmin(lms)
    const theirs = { userId: colleague.user.id, email: aNewAddress() }
    await refused(admin.api.users.changeEmail.mutate(theirs), 'FORBIDDEN')
    lms.clock.advance(601)
    await refused(admin.api.users.changeEmail.mutate(change), 'PASSWORD_NEEDED')
  })

  it('corrects a name, and it is written down', async () => {
    const admin = await anAdmin(lms)
    const { user, api } = await aStudent(lms, 'Ahsa Rao')
    const userId = user.id
    await admin.api.users.rename.mutate({ userId, name: 'Asha Rao' })
    expect((await api.auth.me.query())?.user.name).toBe('Asha Rao')
    const target = `user:${userId}`
    const [entry] = (await admin.api.admin.audit.query({ target })).items
    expect(entry).toMatchObject({ act: 'users.renamed', actorId: admin.user.id })
  })
})
