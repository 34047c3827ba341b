import { beforeAll, describe, expect, it } from 'vitest'
import { aVerified, post } from '../support/builders/auth.ts'
import { aCourse } from '../support/builders/learning.ts'
import { aStudent, anAdmin, type Person } from '../support/builders/people.ts'
import { refused, type Visitor } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

const HOUR = 3_600

let lms: Lms
beforeAll(async () => {
  lms = await startLms({
    env: {
      ADMIN_SESSION_IDLE_HOURS: '1',
      ADMIN_SESSION_HOURS: '3',
      SESSIONS_PER_ACCOUNT: '3',
      SESSIONS_PER_ADMIN: '2',
    },
  })
})

async function another({ user, password }: Person): Promise<Visitor> {
  const visitor = lms.visitor()
  await visitor.api.auth.login.mutate({ email: user.email, password })
  return visitor
}

/** Whoever has copied the cookie as it is now. */
function copyOf({ cookie }: Visitor): Visitor {
  const thief = lms.visitor()
  thief.setCookie('session', cookie().replace('session=', ''))
  return thief
}

const isSignedIn = async ({ api }: Visitor) => (await api.auth.me.query()) !== null

const sessionsOf = ({ user }: Person) => lms.db.orm.sessions.where({ userId: user.id }).all()

describe('a password that is confirmed', () => {
  it('gives the session a new id, under which it is the same session, and ends the old id', async () => {
    const owner = await aStudent(lms)
    const elsewhere = await another(owner)
    const thief = copyOf(owner)
    expect(await isSignedIn(thief)).toBe(true)
    const before = await sessionsOf(owner)
    await owner.api.auth.confirmPassword.mutate({ password: owner.password })
    expect(await isSignedIn(thief)).toBe(false)
    expect(await isSignedIn(owner)).toBe(true)
    expect(await isSignedIn(elsewhere)).toBe(true)
    const after = await sessionsOf(owner)
    expect(after.map(({ _id }) => _id)).toEqual(before.map(({ _id }) => _id))
    expect(after.map(({ createdAt }) => createdAt)).toEqual(
      before.map(({ createdAt }) => createdAt),
    )
    const { items } = await owner.api.auth.sessions.list.query()
    expect(items.filter(({ current }) => current)).toHaveLength(1)
  })

  it('keeps its id when it was the wrong one', async () => {
    const owner = await aStudent(lms)
    const cookie = owner.cookie()
    const guess = { password: 'not it at all' }
    await refused(owner.api.auth.confirmPassword.mutate(guess), 'WRONG_PASSWORD')
    expect(owner.cookie()).toBe(cookie)
    expect(await isSignedIn(owner)).toBe(true)
  })

  it('in two tabs at once leaves one id, which the browser has', async () => {
    const owner = await aStudent(lms)
    const thief = copyOf(owner)
    const confirm = () =>
      owner.fetch('/trpc/auth.confirmPassword', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ json: { password: owner.password } }),
      })
    const answers = await Promise.all([confirm(), confirm(), confirm()])
    expect(answers.map(({ status }) => status).sort()).toEqual(
      answers.map(({ status }) => (status === 401 ? 401 : 200)).sort(),
    )
    const cookies = answers.flatMap(({ headers }) => headers.getSetCookie())
    expect(cookies).toHaveLength(1)
    expect(await isSignedIn(owner)).toBe(true)
    expect(await isSignedIn(thief)).toBe(false)
    expect(await sessionsOf(owner)).toHaveLength(1)
  })
})

describe('the session of an administrator', () => {
  it('is over after an hour unused, where a student’s goes on', async () => {
    const [admin, student] = [await anAdmin(lms), await aStudent(lms)]
    lms.clock.advance(HOUR + 1)
    expect(await isSignedIn(student)).toBe(true)
    await refused(admin.api.users.list.query(), 'UNAUTHENTICATED')
    expect(await sessionsOf(admin)).toEqual([])
  })

  it('is over after three hours, however much it is used and the password confirmed', async () => {
    const [admin, student] = [await anAdmin(lms), await aStudent(lms)]
    for (let halves = 0; halves < 5; halves += 1) {
      lms.clock.advance(HOUR / 2)
      await admin.api.auth.confirmPassword.mutate({ password: admin.password })
    }
    expect(await isSignedIn(admin)).toBe(true)
    lms.clock.advance(HOUR / 2 + 1)
    expect(await isSignedIn(admin)).toBe(false)
    expect(await isSignedIn(student)).toBe(true)
  })

  it('is not listed any more when it is over', async () => {
    const admin = await anAdmin(lms)
    lms.clock.advance(HOUR + 1)
    const fresh = await another(admin)
    expect((await fresh.api.auth.sessions.list.query()).items).toHaveLength(1)
  })

  it('is that of whoever is made one: what they had for long ends', async () => {
    const [admin, student] = [await anAdmin(lms), await aStudent(lms)]
    await lms.db.orm.sessions
      .where({ userId: student.user.id })
      .update({ createdAt: new Date(lms.clock.now().getTime() - 4 * HOUR * 1000) })
    expect(await isSignedIn(student)).toBe(true)
    await admin.api.users.setRole.mutate({ userId: student.user.id, role: 'ADMIN' })
    expect(await isSignedIn(student)).toBe(false)
  })
})

describe('an account', () => {
  it('has three sessions at most: one more ends the oldest', async () => {
    const owner = await aStudent(lms)
    const second = await another(owner)
    const newer = [await another(owner), await another(owner), await another(owner)]
    expect(await isSignedIn(owner)).toBe(false)
    expect(await isSignedIn(second)).toBe(false)
    for (const visitor of newer) expect(await isSignedIn(visitor)).toBe(true)
    expect(await sessionsOf(owner)).toHaveLength(3)
  })

  it('has no more however many sign in at once, and neither fewer', async () => {
    for (let round = 0; round < 3; round += 1) {
      const owner = await aStudent(lms)
      await another(owner)
      const visitors = await Promise.all(Array.from({ length: 4 }, () => another(owner)))
      expect(await sessionsOf(owner)).toHaveLength(3)
      const signedIn = await Promise.all(visitors.map(isSignedIn))
      expect(signedIn.filter(Boolean)).toHaveLength(3)
    }
  })

  it('has two when it is an administrator’s', async () => {
    const admin = await anAdmin(lms)
    const newer = [await another(admin), await another(admin)]
    expect(await isSignedIn(admin)).toBe(false)
    for (const visitor of newer) expect(await isSignedIn(visitor)).toBe(true)
  })
})

describe('a recent password', () => {
  it('is needed to end one’s sessions, to let somebody in again, and for what is worth money', async () => {
    const [admin, student] = [await anAdmin(lms), await aStudent(lms)]
    const taught = await aCourse(lms)
    const [own] = (await student.api.auth.sessions.list.query()).items
    const { id: userId } = student.user
    const coupon = { kind: 'PERCENT', value: 10 } as const
    await admin.api.coupons.create.mutate({ ...coupon, code: 'EARLIER' })
    await admin.api.users.disable.mutate({ userId: (await aStudent(lms)).user.id })
    lms.clock.advance(11 * 60)
    const grant = { courseId: taught.courseId, userId }
    const calls: [Person, () => Promise<unknown>][] = [
      [student, () => student.api.auth.sessions.revoke.mutate({ id: own?.id ?? '' })],
      [student, () => student.api.auth.sessions.revokeOthers.mutate()],
      [admin, () => admin.api.users.enable.mutate({ userId })],
      [admin, () => admin.api.coupons.create.mutate({ ...coupon, code: 'LATER' })],
      [admin, () => admin.api.coupons.createBatch.mutate({ ...coupon, prefix: 'LATER', count: 2 })],
      [admin, () => admin.api.coupons.update.mutate({ code: 'EARLIER', active: false })],
      [taught.owner, () => taught.owner.api.enrollments.grant.mutate(grant)],
      [admin, () => admin.api.enrollments.grant.mutate(grant)],
    ]
    const facts = async () =>
      Promise.all(
        ['coupons', 'enrollments', 'sessions'].map((name) =>
          lms.db.driver
            .collection(name)
            .find({}, { projection: { lastUsedAt: 0 } })
            .toArray(),
        ),
      )
    await Promise.all([isSignedIn(student), isSignedIn(admin), isSignedIn(taught.owner)])
    const before = await facts()
    for (const [, call] of calls) await refused(call(), 'PASSWORD_NEEDED')
    expect(await facts()).toEqual(before)
    for (const { api, password } of [student, admin, taught.owner])
      await api.auth.confirmPassword.mutate({ password })
    for (const [, call] of calls.slice(1)) await expect(call()).resolves.toBeTruthy()
  })

  it('is not needed to let somebody into a free course', async () => {
    const [taught, student] = [await aCourse(lms, { pricePaise: 0 }), await aStudent(lms)]
    lms.clock.advance(11 * 60)
    const grant = { courseId: taught.courseId, userId: student.user.id }
    await expect(taught.owner.api.enrollments.grant.mutate(grant)).resolves.toMatchObject({
      isActive: true,
    })
  })
})

describe('whoever leaves', () => {
  const headerOf = async (visitor: Visitor, path: string, input: unknown) => {
    const response = await visitor.fetch(`/trpc/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ json: input }),
    })
    expect(response.status).toBe(200)
    return response.headers.get('clear-site-data')
  }
  const ALL = '"cache", "cookies", "storage"'

  it('leaves nothing in the browser, signed out or deleted', async () => {
    const [student, leaver] = [await aVerified(lms), await aVerified(lms)]
    expect(await headerOf(student, 'auth.logout', {})).toBe(ALL)
    expect(await headerOf(student, 'auth.logout', {})).toBe(ALL)
    const { password } = leaver
    expect(await headerOf(leaver, 'account.delete', { password })).toBe(ALL)
  })

  it('is the only one whose browser is told so', async () => {
    const student = await aStudent(lms)
    expect(await headerOf(student, 'auth.confirmPassword', student)).toBeNull()
    expect((await post(student, { path: 'auth.login' }, {})).status).toBe(400)
  })
})
