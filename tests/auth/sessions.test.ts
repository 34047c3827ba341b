import { beforeAll, describe, expect, it } from 'vitest'
import { anAdmin, aStudent, type Person } from '../support/builders/people.ts'
import { aVerified } from '../support/builders/auth.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

const DAY = 24 * 60 * 60

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

async function another({ user, password }: Person) {
  const visitor = lms.visitor()
  await visitor.api.auth.login.mutate({ email: user.email, password })
  return visitor
}

describe('sessions', () => {
  it('are listed with their device and last use, and say which one is asking', async () => {
    const owner = await aStudent(lms)
    const phone = await another(owner)
    const { items } = await phone.api.auth.sessions.list.query()
    expect(items).toHaveLength(2)
    expect(items.map(({ current }) => current)).toEqual([true, false])
    for (const item of items) {
      expect(item).toMatchObject({ userAgent: 'node', network: '127.0.0.1' })
      expect(phone.cookie() + owner.cookie()).not.toContain(item.id)
    }
    lms.clock.advance(600)
    await phone.api.auth.me.query()
    const [current, older] = (await phone.api.auth.sessions.list.query()).items
    expect(Number(current?.lastUsedAt)).toBeGreaterThan(Number(older?.lastUsedAt) + 500_000)
  })

  it('are listed in pages', async () => {
    const owner = await aStudent(lms)
    for (let more = 0; more < 4; more += 1) await another(owner)
    const first = await owner.api.auth.sessions.list.query({ limit: 3 })
    const rest = await owner.api.auth.sessions.list.query({
      limit: 3,
      cursor: first.nextCursor ?? '',
    })
    const ids = [...first.items, ...rest.items].map(({ id }) => id)
    expect(new Set(ids).size).toBe(5)
    expect(rest.nextCursor).toBeNull()
  })

  it('are ended one by one, or all but this one', async () => {
    const owner = await aStudent(lms)
    const [phone, laptop, tablet] = [
      await another(owner),
      await another(owner),
      await another(owner),
    ]
    const { items } = await phone.api.auth.sessions.list.query()
    await owner.api.auth.sessions.revoke.mutate({
      id: items.find(({ current }) => current)?.id ?? '',
    })
    expect(await phone.api.auth.me.query()).toBeNull()
    expect(await laptop.api.auth.me.query()).not.toBeNull()

    expect(await laptop.api.auth.sessions.revokeOthers.mutate()).toEqual({ ended: 2 })
    expect(await tablet.api.auth.me.query()).toBeNull()
    expect(await owner.api.auth.me.query()).toBeNull()
    expect(await laptop.api.auth.me.query()).not.toBeNull()
  })

  it('stay alive while they are used, under the same id, and the cookie is renewed', async () => {
    const owner = await aStudent(lms)
    const cookie = owner.cookie()
    for (let weeks = 0; weeks < 4; weeks += 1) {
      lms.clock.advance(8 * DAY)
      const response = await owner.fetch('/trpc/auth.me')
      expect(response.headers.getSetCookie()).toHaveLength(1)
    }
    expect(owner.cookie()).toBe(cookie)
    expect(await owner.api.auth.me.query()).not.toBeNull()
  })

  it('prove the password again without a new sign-in', async () => {
    const owner = await aVerified(lms)
    lms.clock.advance(3600)
    await refused(owner.api.auth.totp.start.mutate(), 'PASSWORD_NEEDED')
    await refused(
      owner.api.auth.confirmPassword.mutate({ password: 'not it at all' }),
      'WRONG_PASSWORD',
    )
    await refused(owner.api.auth.totp.start.mutate(), 'PASSWORD_NEEDED')
    await owner.api.auth.confirmPassword.mutate({ password: owner.password })
    await expect(owner.api.auth.totp.start.mutate()).resolves.toHaveProperty('uri')
  })

  it('prove it for themselves alone', async () => {
    const owner = await aVerified(lms)
    const thief = await another(owner)
    lms.clock.advance(3600)
    await owner.api.auth.confirmPassword.mutate({ password: owner.password })
    await refused(thief.api.auth.totp.start.mutate(), 'PASSWORD_NEEDED')
  })

  it('act with the role their user has now', async () => {
    const admin = await anAdmin(lms)
    const teacher = await aStudent(lms)
    await refused(teacher.api.users.list.query(), 'FORBIDDEN')
    await admin.api.users.setRole.mutate({ userId: teacher.user.id, role: 'ADMIN' })
    await expect(teacher.api.users.list.query()).resolves.toHaveProperty('items')
    await admin.api.users.setRole.mutate({ userId: teacher.user.id, role: 'STUDENT' })
    await refused(teacher.api.users.list.query(), 'FORBIDDEN')
  })
})

describe('a session is over', () => {
  it('after fourteen days unused, and its row is gone when it is tried', async () => {
    const owner = await aStudent(lms)
    lms.clock.advance(14 * DAY + 1)
    await refused(owner.api.account.get.query(), 'UNAUTHENTICATED')
    expect(await lms.db.orm.sessions.where({ userId: owner.user.id }).all()).toEqual([])
  })

  it('after ninety days, however much it was used', async () => {
    const owner = await aStudent(lms)
    for (let days = 0; days < 90; days += 9) {
      expect(await owner.api.auth.me.query()).not.toBeNull()
      lms.clock.advance(9 * DAY)
    }
    await refused(owner.api.account.get.query(), 'UNAUTHENTICATED')
    expect(await lms.db.orm.sessions.where({ userId: owner.user.id }).all()).toEqual([])
  })

  it('when its cookie is not one of ours', async () => {
    for (const value of ['', 'x', 'a'.repeat(40), 'A'.repeat(40), '%00', `${'a'.repeat(40)};x`]) {
      const visitor = lms.visitor()
      visitor.setCookie('session', value)
      expect(await visitor.api.auth.me.query()).toBeNull()
    }
  })
})

describe('a session of someone else', () => {
  it('is neither listed nor ended, and reads as not there', async () => {
    const [owner, other] = [await aStudent(lms), await aStudent(lms)]
    const [theirs] = (await owner.api.auth.sessions.list.query()).items
    await refused(other.api.auth.sessions.revoke.mutate({ id: theirs?.id ?? '' }), 'NOT_FOUND')
    await refused(other.api.auth.sessions.revoke.mutate({ id: 'f'.repeat(24) }), 'NOT_FOUND')
    expect((await other.api.auth.sessions.list.query()).items).toHaveLength(1)
    expect(await owner.api.auth.me.query()).not.toBeNull()
  })
})
