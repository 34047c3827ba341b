import { beforeAll, describe, expect, it } from 'vitest'
import { PROCEDURES } from '../support/procedures.ts'
import { ACCESS } from '../support/access.ts'
import { codeOf, post, secondFactor } from '../support/builders/auth.ts'
import { aStudent, anAdmin, anInstructor } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms({ env: { REQUIRE_TOTP_ROLES: 'ADMIN' } })
})

// What leads to a second factor, and out again.
const OPEN = ['auth.confirmPassword', 'auth.totp.start', 'auth.totp.confirm']

describe('an administrator without the second factor their role needs', () => {
  it('signs in, is told so, and may do nothing that needs anybody to be signed in', async () => {
    const admin = await anAdmin(lms)
    const again = lms.visitor()
    const login = { email: admin.user.email, password: admin.password }
    await expect(again.api.auth.login.mutate(login)).resolves.toMatchObject({ role: 'ADMIN' })
    expect(await again.api.auth.me.query()).toMatchObject({ secondFactorNeeded: true })
    const guarded = PROCEDURES.filter(
      ({ name }) => ACCESS[name] !== 'anyone' && !OPEN.includes(name),
    )
    expect(guarded.length).toBeGreaterThan(50)
    for (const { name, isQuery } of guarded) {
      const reason = isQuery
        ? ((await (await again.fetch(`/trpc/${name}`)).json()) as Refused).error?.json?.data.reason
        : (await post(again, { path: name }, {})).reason
      expect([name, reason]).toEqual([name, 'SECOND_FACTOR_NEEDED'])
    }
  })

  it('is a stranger to what strangers may see, and to uploads and receipts', async () => {
    const admin = await anAdmin(lms)
    const instructor = await anInstructor(lms)
    const { slug } = await instructor.api.courses.create.mutate({
      title: 'A draft nobody sees',
      summary: 'Only its author and administrators do.',
      description: 'Words.',
      category: 'music',
      level: 'BEGINNER',
      language: 'en',
      pricePaise: 0,
      tags: [],
    })
    await refused(admin.api.courses.bySlug.query({ slug }), 'NOT_FOUND')
    for (const [path, method] of [
      ['/uploads/avatar', 'POST'],
      [`/receipts/${'a'.repeat(24)}`, 'GET'],
    ] as const) {
      const response = await admin.fetch(path, { method })
      expect([path, response.status]).toEqual([path, 403])
      expect(await response.text()).toContain('SECOND_FACTOR_NEEDED')
    }
  })

  it('sets it up in the same session, and works on', async () => {
    const admin = await anAdmin(lms)
    lms.clock.advance(11 * 60)
    await refused(admin.api.auth.totp.start.mutate(), 'PASSWORD_NEEDED')
    await admin.api.auth.confirmPassword.mutate({ password: admin.password })
    const { secret } = await admin.api.auth.totp.start.mutate()
    await refused(admin.api.users.list.query(), 'SECOND_FACTOR_NEEDED')
    await admin.api.auth.totp.confirm.mutate({ code: codeOf(secret, lms.clock.now()) })
    await expect(admin.api.users.list.query()).resolves.toHaveProperty('items')
    expect(await admin.api.auth.me.query()).not.toHaveProperty('secondFactorNeeded')
  })

  it('is stopped again when it is taken away, and can sign out', async () => {
    const [admin, other] = [await anAdmin(lms), await anAdmin(lms)]
    const { secret } = await secondFactor(admin, lms)
    await secondFactor(other, lms)
    lms.clock.advance(30)
    const code = codeOf(secret, lms.clock.now())
    await admin.api.auth.totp.disable.mutate({ password: admin.password, code })
    await refused(admin.api.users.list.query(), 'SECOND_FACTOR_NEEDED')
    await admin.api.auth.logout.mutate()
    expect(await admin.api.auth.me.query()).toBeNull()
  })

  it('is whoever is made one, from the next request on', async () => {
    const admin = await anAdmin(lms)
    await secondFactor(admin, lms)
    const student = await aStudent(lms)
    await expect(student.api.account.get.query()).resolves.toHaveProperty('id')
    await admin.api.users.setRole.mutate({ userId: student.user.id, role: 'ADMIN' })
    await refused(student.api.account.get.query(), 'SECOND_FACTOR_NEEDED')
  })
})

type Refused = { error?: { json?: { data: { reason: string } } } }

describe('a role that needs none', () => {
  it('is every other, and each of them where nobody said otherwise', async () => {
    const person = await aStudent(lms)
    await expect(person.api.account.get.query()).resolves.toHaveProperty('id')
    const plain = await startLms()
    await expect((await anAdmin(plain)).api.users.list.query()).resolves.toHaveProperty('items')
  })
})
