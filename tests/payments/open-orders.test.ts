import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { reconcile } from '../../src/payments/reconciliation/reconciler.ts'
import { nextLook } from '../../src/payments/reconciliation/schedule.ts'
import { aCourseId, anOrder, pay } from '../support/builders/orders.ts'
import { aStudent, type Person } from '../support/builders/people.ts'
import { refused, visitorAt } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { expectSound, statusOf } from '../support/order-checks.ts'

let lms: Lms
let courses: string[]
beforeAll(async () => {
  lms = await startLms()
  lms.razorpay.webhooks.drop = 'all'
  courses = await Promise.all(Array.from({ length: 40 }, () => aCourseId(lms)))
})

const always = () => Promise.resolve(true)

const openOf = async ({ user }: Person) =>
  (await lms.db.orm.orders.where({ userId: user.id, status: 'CREATED' }).all()).length

describe('an account that opens orders', () => {
  it('has at most twenty, however many it asks for at once, on two servers', async () => {
    const buyer = await aStudent(lms)
    const other = await lms.another()
    const there = visitorAt(other.url, buyer).api
    const answers = await Promise.allSettled(
      courses.map((courseId, at) =>
        (at % 2 === 0 ? buyer.api : there).orders.create.mutate({ courseIds: [courseId] }),
      ),
    )
    expect(await openOf(buyer)).toBe(20)
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(20)
    const reasons = answers.flatMap((answer) =>
      answer.status === 'rejected'
        ? [(answer.reason as { data: { reason: string } }).data.reason]
        : [],
    )
    expect(new Set(reasons)).toEqual(new Set(['TOO_MANY_OPEN_ORDERS']))
    await expectSound(lms)
  })

  it('is still handed the one it has open when it has no slot left', async () => {
    const buyer = await aStudent(lms)
    const first = await anOrder(lms, { buyer, courseIds: courses.slice(0, 1) })
    for (const id of courses.slice(1, 20)) await anOrder(lms, { buyer, courseIds: [id] })
    const again = await anOrder(lms, { buyer, courseIds: courses.slice(0, 1) })
    expect(again.order.id).toBe(first.order.id)
    await refused(
      buyer.api.orders.create.mutate({ courseIds: courses.slice(20, 21) }),
      'TOO_MANY_OPEN_ORDERS',
    )
  })

  it('has a slot again for each that is paid, and for each whose time is over', async () => {
    const buyer = await aStudent(lms)
    const [first, ...rest] = courses.slice(0, 20)
    const paid = await anOrder(lms, { buyer, courseIds: [first ?? ''] })
    for (const id of rest) await anOrder(lms, { buyer, courseIds: [id] })
    await buyer.api.orders.verify.mutate(pay(lms, paid))
    await anOrder(lms, { buyer, courseIds: courses.slice(20, 21) })
    await refused(
      buyer.api.orders.create.mutate({ courseIds: courses.slice(21, 22) }),
      'TOO_MANY_OPEN_ORDERS',
    )
    lms.clock.advance(61 * 60)
    await buyer.api.auth.login.mutate({ email: buyer.user.email, password: buyer.password })
    await anOrder(lms, { buyer, courseIds: courses.slice(21, 22) })
    await lms.work()
    expect(await openOf(buyer)).toBe(1)
    await expectSound(lms)
  })

  it('that pays in time, unheard, and comes back later is not sold the same again', async () => {
    const opened = await anOrder(lms)
    const { buyer, courseIds } = opened
    pay(lms, opened)
    lms.clock.advance(61 * 60)
    await buyer.api.auth.login.mutate({ email: buyer.user.email, password: buyer.password })
    await refused(buyer.api.orders.create.mutate({ courseIds }), 'ALREADY_ENROLLED')
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })
})

describe('asking the gateway about open orders', () => {
  const asked = (order_id: string) =>
    lms.razorpay.requests().filter(({ path }) => path.includes(`${order_id}/payments`)).length

  it('is done less and less often, and some dozen times in an hour', async () => {
    const opened = await anOrder(lms)
    const times: number[] = []
    for (let minute = 1; minute <= 60; minute += 1) {
      const before = asked(opened.order_id)
      lms.clock.advance(60)
      await reconcile(lms.deps, always)
      if (asked(opened.order_id) > before) times.push(minute)
    }
    const pauses = times.map((minute, at) => minute - (times[at - 1] ?? 0))
    expect(times.length).toBeLessThanOrEqual(14)
    expect(Math.max(...pauses)).toBeLessThanOrEqual(11)
    expect(pauses.slice(0, -1)).toEqual(pauses.slice(0, -1).toSorted((a, b) => a - b))
    expect(await statusOf(lms, opened)).toBe('EXPIRED')
  })

  it('goes on for a week after one was closed, a few times a day, and ends', async () => {
    const createdAt = new Date('2026-11-01T00:00:00Z')
    const expiresAt = new Date('2026-11-01T01:00:00Z')
    let at = expiresAt
    const looks: Date[] = []
    while (at < new Date('2026-11-20T00:00:00Z')) {
      at = nextLook({ status: 'EXPIRED', createdAt, expiresAt }, at)
      looks.push(at)
    }
    expect(looks.length).toBeLessThan(50)
    expect(looks.at(-2)?.getTime()).toBeGreaterThan(expiresAt.getTime() + 7 * 86_400_000)
    const old = await anOrder(lms)
    lms.clock.advance(9 * 86_400)
    await lms.work()
    const before = asked(old.order_id)
    lms.clock.advance(86_400)
    await lms.work()
    expect(await statusOf(lms, old)).toBe('EXPIRED')
    expect(asked(old.order_id)).toBe(before)
  })

  it('is bounded in one run, however many there are, and those that waited longest come first', async () => {
    const { order } = await anOrder(lms)
    const model = await lms.db.driver.collection('orders').findOne({ _id: new ObjectId(order.id) })
    const at = lms.clock.now().getTime()
    const made = Array.from({ length: 300 }, (_, n) => ({
      ...model,
      _id: new ObjectId(),
      openKey: `many-${n}`,
      openSlot: `many:${n}`,
      gatewayOrderId: `order_Many${String(n).padStart(10, '0')}`,
      dueAt: new Date(at - n * 1_000),
    }))
    await lms.db.driver.collection('orders').insertMany(made)
    const before = lms.razorpay.requests().length
    await reconcile(lms.deps, always)
    const paths = lms.razorpay
      .requests()
      .slice(before)
      .map(({ path }) => path)
    expect(paths.length).toBeLessThanOrEqual(200)
    expect(paths.join()).toContain('order_Many0000000299')
    expect(paths.join()).not.toContain('order_Many0000000100/')
    for (let run = 0; run < 3; run += 1) await reconcile(lms.deps, always)
    const all = lms.razorpay
      .requests()
      .slice(before)
      .map(({ path }) => path)
      .join()
    for (const { gatewayOrderId } of made) expect(all).toContain(gatewayOrderId)
    await lms.db.driver.collection('orders').deleteMany({ openKey: /^many-/ })
  })
})
