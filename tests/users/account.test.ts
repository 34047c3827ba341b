import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent, anAdmin } from '../support/builders/people.ts'
import { aVerified, secondFactor } from '../support/builders/auth.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { aPublishedCourse } from '../support/builders/courses.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const BILLING = {
  name: 'Asha Rao & Co.',
  state: 'Karnataka',
  gstin: '29abcde1234f1zw',
  address: '4, Lake View Road, Bengaluru',
}

describe('an account', () => {
  it('shows its own profile and takes changes to it', async () => {
    const { api, user } = await aStudent(lms)
    expect(await api.account.get.query()).toEqual({ ...user, billing: null, secondFactor: false })
    const updated = await api.account.update.mutate({ name: '  Asha R. Rao ', billing: BILLING })
    expect(updated).toMatchObject({
      name: 'Asha R. Rao',
      billing: { ...BILLING, gstin: '29ABCDE1234F1ZW' },
    })
    expect((await api.auth.me.query())?.user.name).toBe('Asha R. Rao')
    await api.account.update.mutate({ name: 'Asha' })
    expect((await api.account.get.query()).billing).toMatchObject({ state: 'Karnataka' })
    await api.account.update.mutate({ billing: null })
    expect(await api.account.get.query()).toMatchObject({ name: 'Asha', billing: null })
  })

  it('exports what is kept of its owner, and nothing of anyone else', async () => {
    const { api, user } = await aStudent(lms)
    const other = await aStudent(lms)
    const courseId = 'c'.repeat(24)
    const at = lms.clock.now()
    for (const userId of [user.id, other.user.id])
      await lms.db.orm.reviews.create({
        courseId,
        userId,
        rating: 5,
        body: `by ${userId}`,
        createdAt: at,
        updatedAt: at,
      })
    const exported = await api.account.export.query()
    expect(exported).toMatchObject({ complete: true, user: { email: user.email } })
    expect(exported.sessions).toHaveLength(1)
    expect(exported.reviews).toEqual([
      { courseId, rating: 5, body: `by ${user.id}`, createdAt: at },
    ])
    expect(exported.activity.map(({ act }) => act)).toContain('auth.registered')
    expect(JSON.stringify(exported)).not.toMatch(/passwordHash|tokenHash|argon2/)
    expect(JSON.stringify(exported)).not.toContain(other.user.id)
  })

  it.each([
    ['a name of hidden characters', { name: 'a\u200b\u202eb' }],
    ['a GSTIN that is none', { billing: { ...BILLING, gstin: '29ABC' } }],
    ['an empty name', { name: '   ' }],
  ])('refuses %s', async (_what, change) => {
    const { api } = await aStudent(lms)
    await refused(api.account.update.mutate(change), 'INVALID_INPUT')
  })

  it('takes no role, e-mail or verification as a part of the profile', async () => {
    const { api, user } = await aStudent(lms)
    const wish = { name: 'Asha', role: 'ADMIN', email: 'x@y.test', emailVerifiedAt: new Date() }
    await api.account.update.mutate(wish)
    expect((await api.auth.me.query())?.user).toEqual({ ...user, name: 'Asha' })
  })
})

describe('deleting an account', () => {
  it('makes it nobody’s, ends it everywhere and keeps what was paid', async () => {
    const person = await aVerified(lms)
    const { api, user, password } = person
    const elsewhere = lms.visitor()
    await elsewhere.api.auth.login.mutate({ email: user.email, password })
    await api.account.update.mutate({ billing: BILLING })
    await secondFactor(person, lms)
    await lms.visitor().api.auth.requestPasswordReset.mutate({ email: user.email })
    const at = lms.clock.now()
    const courseId = 'd'.repeat(24)
    await lms.db.orm.lesson_progress.create({
      userId: user.id,
      courseId,
      lessonId: user.id,
      completedAt: at,
      firstCompletedAt: null,
      openedAt: at,
      lessonAddedAt: null,
      positionSeconds: 5,
      updatedAt: at,
    })
    await lms.db.orm.certificates.create({
      publicId: `cert-${user.id}`,
      userId: user.id,
      courseId,
      number: null,
      holderName: user.name,
      courseTitle: 'Tabla for beginners',
      issuedAt: at,
      revokedAt: null,
      reason: null,
    })
    const avatar = await lms.db.orm.media.create({
      publicId: `avatar-${user.id}`,
      ownerId: user.id,
      purpose: 'avatar',
      courseId: null,
      state: 'READY',
      resourceType: 'image',
      deliveryType: 'upload',
      format: 'png',
      bytes: 1,
      width: 1,
      height: 1,
      durationSeconds: null,
      version: 1,
      createdAt: at,
      updatedAt: at,
    })
    await lms.db.orm.invoices.create({
      number: `INV-${user.id}`,
      series: '26-27',
      serial: 1,
      orderId: user.id,
      userId: user.id,
      body: { total: 1 },
      issuedAt: at,
      billedAt: null,
      issuedBody: null,
      closedAt: null,
    })

    await api.account.delete.mutate({ password })

    expect(await api.auth.me.query()).toBeNull()
    expect(await elsewhere.api.auth.me.query()).toBeNull()
    await refused(
      lms.visitor().api.auth.login.mutate({ email: user.email, password }),
      'WRONG_CREDENTIALS',
    )
    const { orm } = lms.db
    const stored = await orm.users.where({ _id: user.id }).first()
    expect(stored).toMatchObject({ email: `deleted-${user.id}@invalid`, name: 'Deleted user' })
    expect(stored?.billing ?? null).toBeNull()
    const mine = { userId: user.id }
    expect(await orm.sessions.where(mine).all()).toEqual([])
    expect(await orm.email_tokens.where(mine).all()).toEqual([])
    expect(await orm.totps.where(mine).all()).toEqual([])
    expect(await orm.lesson_progress.where(mine).all()).toEqual([])
    expect(await orm.outbox_mails.where({ to: user.email }).all()).toEqual([])
    expect(await orm.invoices.where(mine).all()).toHaveLength(1)
    expect((await orm.media.where({ _id: avatar._id }).first())?.state).toBe('REMOVED')
    const [certificate] = await orm.certificates.where(mine).all()
    expect(certificate).toMatchObject({ holderName: 'Deleted user' })
    expect(certificate?.revokedAt).toBeInstanceOf(Date)
  })

  it('frees the address for a new account, which is another person', async () => {
    const { api, user, password } = await aStudent(lms)
    await api.account.delete.mutate({ password })
    const again = await lms
      .visitor()
      .api.auth.register.mutate({ name: 'Asha', email: user.email, password: 'second-tabla-life' })
    expect(again.id).not.toBe(user.id)
  })

  it('is finished by a job when it was cut off', async () => {
    const { user } = await aStudent(lms)
    const at = lms.clock.now()
    await lms.db.orm.users
      .where({ _id: user.id })
      .update({ email: `deleted-${user.id}@invalid`, deletedAt: at })
    await lms.work()
    expect(await lms.db.orm.sessions.where({ userId: user.id }).all()).toEqual([])
  })

  it('needs the password, and one that was given recently', async () => {
    const { api, user, password } = await aStudent(lms)
    await refused(api.account.delete.mutate({ password: 'not it at all' }), 'WRONG_PASSWORD')
    lms.clock.advance(601)
    await refused(api.account.delete.mutate({ password }), 'PASSWORD_NEEDED')
    expect((await api.auth.me.query())?.user.id).toBe(user.id)
    await api.auth.confirmPassword.mutate({ password })
    await expect(api.account.delete.mutate({ password })).resolves.toBeNull()
  })

  it('is refused to someone who is teaching, until their courses are not on offer', async () => {
    const { owner: teacher, course } = await aPublishedCourse(lms)
    const { password } = teacher
    await refused(teacher.api.account.delete.mutate({ password }), 'HAS_PUBLISHED_COURSES')
    await teacher.api.courses.archive.mutate({ id: course.id })
    await expect(teacher.api.account.delete.mutate({ password })).resolves.toBeNull()
  })

  it('is refused to the last administrator', async () => {
    const alone = await startLms()
    const admin = await anAdmin(alone)
    const { password } = admin
    await refused(admin.api.account.delete.mutate({ password }), 'LAST_ADMIN')
    expect((await admin.api.auth.me.query())?.user.role).toBe('ADMIN')
    await anAdmin(alone)
    await expect(admin.api.account.delete.mutate({ password })).resolves.toBeNull()
  })
})

describe('two administrators who leave at once', () => {
  it('are not both let go', async () => {
    for (let round = 0; round < 5; round += 1) {
      const pair = await startLms()
      const admins = [await anAdmin(pair), await anAdmin(pair)]
      await Promise.allSettled(
        admins.map(({ api, password }) => api.account.delete.mutate({ password })),
      )
      const left = await pair.db.orm.users.where({ role: 'ADMIN' }).all()
      expect(left.filter(({ deletedAt }) => !deletedAt).length).toBeGreaterThanOrEqual(1)
      // Whoever was refused, even after the write, is who they were.
      const emails = admins.map(({ user }) => user.email)
      for (const { email, name } of left) {
        expect(emails).toContain(email)
        expect(name).toBe('Meera Shah')
      }
      await pair.close()
    }
  })
})
