import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent, anAdmin, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

const times = (count: number, reason: string): string[] =>
  Array.from({ length: count }, () => reason)

let lms: Lms
let admin: Person
beforeAll(async () => {
  lms = await startLms()
  admin = await anAdmin(lms)
})

describe('administrators', () => {
  it('find users by a part of their name or address, and by role', async () => {
    const mohan = await aStudent(lms, 'Mohan (Kumar) Nair')
    const found = async (q: string) =>
      (await admin.api.users.list.query({ q })).items.map(({ id }) => id)
    expect(await found('mohan')).toEqual([mohan.user.id])
    expect(await found('(KUMAR)')).toEqual([mohan.user.id])
    expect(await found(mohan.user.email.slice(0, 10))).toEqual([mohan.user.id])
    expect(await found('.*')).toEqual([])
    const admins = await admin.api.users.list.query({ role: 'ADMIN', limit: 100 })
    expect(admins.items.map(({ role }) => role)).toEqual(admins.items.map(() => 'ADMIN'))
    expect(admins.items.map(({ id }) => id)).toContain(admin.user.id)
  })

  it('page through all users, newest first, and meet each once', async () => {
    const ids: string[] = []
    let cursor: string | undefined
    do {
      const page = await admin.api.users.list.query({
        limit: 2,
        ...(cursor !== undefined && { cursor }),
      })
      ids.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    const all = await lms.db.orm.users.all()
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toHaveLength(all.length)
  })

  it('see a user without anything secret', async () => {
    const { user } = await aStudent(lms)
    expect(await admin.api.users.get.query({ userId: user.id })).toEqual({
      ...user,
      disabledAt: null,
      deletedAt: null,
    })
    await refused(admin.api.users.get.query({ userId: 'e'.repeat(24) }), 'NOT_FOUND')
  })

  it('disable a user, whose sessions end at once, and enable them again', async () => {
    const { api, user, password } = await aStudent(lms)
    const disabled = await admin.api.users.disable.mutate({ userId: user.id })
    expect(disabled.disabledAt).toBeInstanceOf(Date)
    expect(await api.auth.me.query()).toBeNull()
    const login = () => lms.visitor().api.auth.login.mutate({ email: user.email, password })
    await refused(login(), 'WRONG_CREDENTIALS')
    const enabled = await admin.api.users.enable.mutate({ userId: user.id })
    expect(enabled.disabledAt).toBeNull()
    await expect(login()).resolves.toMatchObject({ id: user.id })
    expect(await api.auth.me.query()).toBeNull()
  })

  it('mail no link to a user they have disabled', async () => {
    const { user } = await aStudent(lms)
    await lms.work()
    await admin.api.users.disable.mutate({ userId: user.id })
    await lms.visitor().api.auth.requestPasswordReset.mutate({ email: user.email })
    const before = lms.smtp.mails(user.email).length
    await lms.work()
    expect(lms.smtp.mails(user.email)).toHaveLength(before)
  })

  it('leave a trace of what they do, before and after', async () => {
    const { user } = await aStudent(lms)
    await admin.api.users.setRole.mutate({ userId: user.id, role: 'INSTRUCTOR' })
    await admin.api.users.disable.mutate({ userId: user.id })
    await admin.api.users.enable.mutate({ userId: user.id })
    const { items } = await admin.api.admin.audit.query({ target: `user:${user.id}` })
    expect(items.map(({ act }) => act)).toEqual([
      'users.enabled',
      'users.disabled',
      'users.role-changed',
      'auth.registered',
    ])
    expect(items[2]).toMatchObject({
      actorId: admin.user.id,
      actorRole: 'ADMIN',
      before: { role: 'STUDENT' },
      after: { role: 'INSTRUCTOR' },
      network: '127.0.0.1',
    })
    expect(items[2]?.requestId).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('page through the trace, by actor or by target', async () => {
    const { api, user, password } = await aStudent(lms)
    for (let time = 0; time < 4; time += 1)
      await api.auth.changePassword.mutate({ current: password, next: password })
    const first = await admin.api.admin.audit.query({ actorId: user.id, limit: 3 })
    const rest = await admin.api.admin.audit.query({
      actorId: user.id,
      limit: 3,
      cursor: first.nextCursor ?? '',
    })
    expect([...first.items, ...rest.items].map(({ act }) => act)).toEqual([
      ...times(4, 'auth.password-changed'),
      'auth.registered',
    ])
    expect(rest.nextCursor).toBeNull()
  })
})

describe('administrators are refused', () => {
  it('to change a role or disable anyone without a recent password', async () => {
    const { user } = await aStudent(lms)
    const late = await anAdmin(lms)
    lms.clock.advance(601)
    const userId = user.id
    await refused(late.api.users.setRole.mutate({ userId, role: 'ADMIN' }), 'PASSWORD_NEEDED')
    await refused(late.api.users.disable.mutate({ userId }), 'PASSWORD_NEEDED')
    await late.api.auth.confirmPassword.mutate({ password: late.password })
    await expect(
      late.api.users.setRole.mutate({ userId, role: 'INSTRUCTOR' }),
    ).resolves.toMatchObject({ role: 'INSTRUCTOR' })
  })

  it('a role that does not exist', async () => {
    const { user } = await aStudent(lms)
    const role = 'GOD' as 'ADMIN'
    await refused(admin.api.users.setRole.mutate({ userId: user.id, role }), 'INVALID_INPUT')
  })

  it('to bring back an account that was deleted', async () => {
    const fresh = await anAdmin(lms)
    const { api, user, password } = await aStudent(lms)
    await api.account.delete.mutate({ password })
    const userId = user.id
    await refused(fresh.api.users.enable.mutate({ userId }), 'NOT_FOUND')
    await refused(fresh.api.users.setRole.mutate({ userId, role: 'ADMIN' }), 'NOT_FOUND')
    await refused(fresh.api.users.disable.mutate({ userId }), 'NOT_FOUND')
  })

  it('to remove the last of them, themselves included', async () => {
    const alone = await startLms()
    const last = await anAdmin(alone)
    const userId = last.user.id
    await refused(last.api.users.setRole.mutate({ userId, role: 'STUDENT' }), 'LAST_ADMIN')
    await refused(last.api.users.disable.mutate({ userId }), 'LAST_ADMIN')
    const disabled = await anAdmin(alone)
    await last.api.users.disable.mutate({ userId: disabled.user.id })
    await refused(last.api.users.setRole.mutate({ userId, role: 'STUDENT' }), 'LAST_ADMIN')
    expect((await last.api.auth.me.query())?.user.role).toBe('ADMIN')
  })
})

describe('administrators who remove each other at once', () => {
  it('never leave none behind', async () => {
    const arena = await startLms()
    const people = await Promise.all(Array.from({ length: 3 }, () => anAdmin(arena)))
    const outcomes = new Set<number>()
    for (let round = 0; round < 12; round += 1) {
      const pair = people.slice(0, 2)
      for (const { user } of people)
        await arena.db.orm.users.where({ _id: user.id }).update({
          role: pair.some((one) => one.user.id === user.id) ? 'ADMIN' : 'STUDENT',
          disabledAt: null,
        })
      const [one, two] = pair
      if (!one || !two) throw new Error('two were made')
      await Promise.all(
        [one, two].map(({ api, password }) => api.auth.confirmPassword.mutate({ password })),
      )
      await Promise.allSettled([
        one.api.users.setRole.mutate({ userId: two.user.id, role: 'STUDENT' }),
        two.api.users.setRole.mutate({ userId: one.user.id, role: 'INSTRUCTOR' }),
      ])
      const left = await arena.db.orm.users.where({ role: 'ADMIN' }).all()
      outcomes.add(left.length)
      expect(left.length).toBeGreaterThanOrEqual(1)
    }
    expect([...outcomes].every((left) => left === 1 || left === 2)).toBe(true)
  })

  it('keep one when all leave by their own hand', async () => {
    const arena = await startLms()
    const people = await Promise.all(Array.from({ length: 5 }, () => anAdmin(arena)))
    const outcomes = await Promise.allSettled(
      people.map(({ api, user }) => api.users.setRole.mutate({ userId: user.id, role: 'STUDENT' })),
    )
    const left = await arena.db.orm.users.where({ role: 'ADMIN' }).all()
    expect(left.length).toBeGreaterThanOrEqual(1)
    const refusals = outcomes.filter(({ status }) => status === 'rejected')
    expect(refusals).toHaveLength(left.length)
  })
})
