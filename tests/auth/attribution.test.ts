import { beforeAll, describe, expect, it } from 'vitest'
import { auditRarely } from '../../src/auth/rare-audit.ts'
import { aVerified, codeOf, post, secondFactor } from '../support/builders/auth.ts'
import { aDraft } from '../support/builders/courses.ts'
import { anOrder } from '../support/builders/orders.ts'
import { aStudent, anAdmin, anInstructor } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms({ env: { TRUST_PROXY: '1' } })
})

type Line = Record<string, unknown>

const lines = (from: Lms): Line[] => from.logs().map((line) => JSON.parse(line) as Line)

const refusalsOf = (actorId: string | null, from = lms): Line[] =>
  lines(from)
    .filter((line) => line['actorId'] === actorId)
    .flatMap(({ refused: all = [], ...line }) =>
      (all as Line[]).map((refusal) => ({ ...line, ...refusal })),
    )

const auditOf = async (actorId: string, act: string, from = lms) =>
  (await from.db.orm.audit_entries.where({ actorId }).all()).filter((entry) => entry.act === act)

describe('a line of the log', () => {
  it('says whose request it was, and from which network', async () => {
    const student = await aStudent(lms)
    const from = { headers: { 'x-forwarded-for': '2001:db8:12:3456:789a::1' } }
    await student.fetch('/trpc/account.get', from)
    await lms.visitor().fetch('/trpc/courses.list', from)
    const of = (path: string) =>
      lines(lms).filter(({ req }) => (req as { path?: string } | undefined)?.path === path)
    const network = '2001:db8:12:3400::/56'
    expect(of('/trpc/account.get').at(-1)).toMatchObject({ actorId: student.user.id, network })
    expect(of('/trpc/courses.list').at(-1)).toMatchObject({ actorId: null, network })
  })
})

describe('a refusal', () => {
  it('for want of a role is logged with its actor each time, and audited once an hour', async () => {
    const student = await aStudent(lms)
    for (let times = 0; times < 8; times += 1)
      await refused(student.api.users.list.query(), 'FORBIDDEN')
    const logged = refusalsOf(student.user.id)
    expect(logged).toHaveLength(8)
    expect(logged[0]).toMatchObject({ reason: 'FORBIDDEN', path: 'users.list', level: 30 })
    expect(logged[0]).toHaveProperty('reqId')
    const entries = await auditOf(student.user.id, 'access.refused')
    expect(entries).toHaveLength(1)
    expect(entries[0]).toMatchObject({
      actorRole: 'STUDENT',
      after: { path: 'users.list', reason: 'FORBIDDEN' },
    })
    lms.clock.advance(3_601)
    await refused(student.api.users.list.query(), 'FORBIDDEN')
    expect(await auditOf(student.user.id, 'access.refused')).toHaveLength(2)
  })

  it('cannot fill the audit log, by however many procedures and at once', async () => {
    const student = await aStudent(lms)
    const { api } = student
    const calls = [
      () => api.users.list.query(),
      () => api.admin.stats.query(),
      () => api.admin.audit.query(),
      () => api.admin.invariants.query(),
      () => api.orders.list.query(),
      () => api.orders.stuck.query(),
      () => api.coupons.list.query(),
      () => api.refunds.list.query(),
    ]
    const all = Array.from({ length: 6 }, () => calls).flat()
    await Promise.all(all.map((call) => refused(call(), 'FORBIDDEN')))
    expect(await auditOf(student.user.id, 'access.refused')).toHaveLength(calls.length)
  })

  it('of what is another’s is noticed, though it reads as not there', async () => {
    const [draft, opened] = [await aDraft(lms), await anOrder(lms)]
    const [author, student] = [await anInstructor(lms), await aStudent(lms)]
    await refused(author.api.courses.authoring.query({ courseId: draft.course.id }), 'NOT_FOUND')
    await refused(student.api.orders.get.query({ orderId: opened.order.id }), 'NOT_FOUND')
    await refused(student.api.orders.get.query({ orderId: 'f'.repeat(24) }), 'NOT_FOUND')
    expect(refusalsOf(author.user.id)).toMatchObject([{ path: 'courses.authoring' }])
    expect(refusalsOf(student.user.id)).toHaveLength(1)
    expect(await auditOf(student.user.id, 'access.refused')).toHaveLength(1)
  })

  it('of who comes too often names them, and is audited once', async () => {
    const small = await startLms({ env: { REQUESTS_PER_MINUTE: '12' } })
    const student = await aStudent(small)
    const path = Array.from({ length: 18 }, () => 'auth.me').join()
    await student.fetch(`/trpc/${path}?batch=1`)
    const logged = refusalsOf(student.user.id, small)
    expect(logged.length).toBeGreaterThan(3)
    expect(logged[0]).toMatchObject({ reason: 'TOO_MANY_REQUESTS', path: 'auth.me' })
    expect(await auditOf(student.user.id, 'access.throttled', small)).toHaveLength(1)
  })

  it('of who is nobody is logged with the network alone', async () => {
    const network = '198.51.100.77'
    await lms.visitor().fetch('/trpc/account.get', { headers: { 'x-forwarded-for': network } })
    const last = refusalsOf(null).at(-1)
    expect(last).toMatchObject({ reason: 'UNAUTHENTICATED', path: 'account.get', network })
  })
})

describe('a wrong code', () => {
  it('is audited wherever it is given', async () => {
    const person = await aVerified(lms)
    await person.api.auth.totp.start.mutate()
    await refused(person.api.auth.totp.confirm.mutate({ code: '000000' }), 'WRONG_CODE')
    expect(await auditOf(person.user.id, 'auth.code-refused')).toHaveLength(1)
    const { secret } = await secondFactor(person, lms)
    expect(codeOf(secret, lms.clock.now())).not.toBe('000000')
    const removal = { password: person.password, code: '000000' }
    await refused(person.api.auth.totp.disable.mutate(removal), 'WRONG_CODE')
    expect(await auditOf(person.user.id, 'auth.code-refused')).toHaveLength(2)
  })
})

describe('a failed sign-in', () => {
  const guess = (email: string, network: string) =>
    post(lms.visitor(), { path: 'auth.login', network }, { email, password: 'wrong and wrong' })

  it('of an administrator’s account is audited with its role and the network', async () => {
    const admin = await anAdmin(lms)
    await guess(admin.user.email, '203.0.113.200')
    const target = `user:${admin.user.id}`
    const entries = await lms.db.orm.audit_entries.where({ target }).all()
    const failed = entries.find(({ act }) => act === 'auth.sign-in-failed')
    expect(failed).toMatchObject({
      after: { role: 'ADMIN' },
      network: '203.0.113.200',
    })
  })

  it('fills no audit log, though many fail at once', async () => {
    const deps = { ...lms.deps, network: '192.0.2.1', requestId: 'none' }
    const act = { actor: null, act: 'auth.sign-in-failed', target: 'user:guessed' }
    const limits = [{ of: [act.target], most: 60, seconds: 3_600 }]
    await Promise.all(Array.from({ length: 75 }, () => auditRarely(deps, act, limits)))
    const { target } = act
    expect(await lms.db.orm.audit_entries.where({ target }).all()).toHaveLength(60)
  })
})
