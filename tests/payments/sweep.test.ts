import { beforeAll, describe, expect, it } from 'vitest'
import { paymentJobs } from '../../src/payments/jobs.ts'
import type { Fault } from '../../sandbox/razorpay/api/faults.ts'
import { reconcile } from '../../src/payments/reconciliation/reconciler.ts'
import { aCourseId, anOrder, pay } from '../support/builders/orders.ts'
import { anAdmin } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'
import {
  deliverWebhooks,
  expectSound,
  isIn,
  statusOf,
  ledgerOf,
  writePaymentDown,
} from '../support/order-checks.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
  lms.razorpay.webhooks.drop = 'all'
})

const always = () => Promise.resolve(true)
const orderOf = (id: string) => lms.db.orm.orders.where({ _id: id }).first()

async function expired() {
  const opened = await anOrder(lms)
  lms.clock.advance(61 * 60)
  await lms.work()
  expect(await statusOf(lms, opened)).toBe('EXPIRED')
  return opened
}

describe('the sweep', () => {
  it('goes on with an order that was left as paid', async () => {
    const opened = await anOrder(lms)
    const { razorpay_payment_id: paymentId } = pay(lms, opened)
    // What a server leaves behind that dies right after it has claimed the order.
    await writePaymentDown(lms, opened, paymentId)
    const at = lms.clock.now()
    await lms.db.orm.orders
      .where({ _id: opened.order.id })
      .update((order) => [
        order.status.set('PAID'),
        order.paymentId.set(paymentId),
        order.paidAt.set(at),
        order.openKey.unset(),
      ])
    await reconcile(lms.deps, always)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(true)
    await expectSound(lms)
  })

  it('sends an order that cannot be checked to the end of the queue', async () => {
    const opened = await anOrder(lms)
    lms.clock.advance(61)
    const before = await orderOf(opened.order.id)
    await lms.razorpay.with({ faults: [{ route: '*', kind: 'garbage', times: 20 }] }, () =>
      reconcile(lms.deps, always),
    )
    const after = await orderOf(opened.order.id)
    expect(after?.status).toBe('CREATED')
    expect(after?.checkedAt.getTime()).toBeGreaterThan((before?.checkedAt.getTime() ?? 0) + 60_000)
  })

  it('lets an order expire that Razorpay does not know, and gives its coupon back', async () => {
    const { api } = await anAdmin(lms)
    await api.coupons.create.mutate({ code: 'LOSTKEY', kind: 'PERCENT', value: 10, maxTotal: 1 })
    const opened = await anOrder(lms, { couponCode: 'LOSTKEY' })
    await lms.db.orm.orders
      .where({ _id: opened.order.id })
      .update({ gatewayOrderId: 'order_OfAnotherKey01' })
    lms.clock.advance(61 * 60)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('EXPIRED')
    await anOrder(lms, { couponCode: 'LOSTKEY' })
  })

  it('does not capture what Razorpay is about to capture itself', async () => {
    const opened = await anOrder(lms)
    lms.clock.advance(61)
    pay(lms, opened, { outcome: 'authorized' })
    await reconcile(lms.deps, always)
    expect(await statusOf(lms, opened)).toBe('CREATED')
    lms.clock.advance(61)
    await reconcile(lms.deps, always)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('does not close an order whose payment is about to be captured', async () => {
    const opened = await anOrder(lms)
    lms.clock.advance(60 * 60 - 5)
    pay(lms, opened, { outcome: 'authorized' })
    lms.clock.advance(10)
    await reconcile(lms.deps, always)
    expect(await statusOf(lms, opened)).toBe('CREATED')
    lms.clock.advance(61)
    await reconcile(lms.deps, always)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('tries a capture that failed again in a minute, also of an order that has expired', async () => {
    const opened = await expired()
    lms.clock.advance(3_590)
    pay(lms, opened, { outcome: 'authorized' })
    lms.clock.advance(15)
    await reconcile(lms.deps, always)
    const faults: Fault[] = [{ route: 'POST /payments/:id/capture', kind: 'error', times: 9 }]
    lms.clock.advance(61)
    await lms.razorpay.with({ faults }, () => reconcile(lms.deps, always))
    expect(await statusOf(lms, opened)).toBe('EXPIRED')
    lms.clock.advance(61)
    await reconcile(lms.deps, always)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('captures no second payment of an order that has one', async () => {
    const opened = await anOrder(lms)
    const { razorpay_payment_id: first } = pay(lms, opened, { outcome: 'authorized' })
    pay(lms, opened, { force: true })
    lms.clock.advance(120)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    expect(ledgerOf(lms, first)).toMatchObject({ status: 'authorized' })
    const captures = lms.razorpay.requests().filter(({ path }) => path.includes(`${first}/capture`))
    expect(captures).toEqual([])
  })

  it('finds what the bank confirms after the order has expired, within two minutes', async () => {
    const opened = await expired()
    await lms.razorpay.with({ drop: ['payment.captured', 'order.paid'] }, async () => {
      pay(lms, opened, { outcome: 'authorized' })
      await deliverWebhooks(lms)
      lms.clock.advance(61)
      await lms.work()
      lms.clock.advance(61)
      await lms.work()
    })
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('looks at an expired order and at one in review again in an hour', async () => {
    const late = await expired()
    const odd = await anOrder(lms)
    pay(lms, odd, { amount: 100 })
    lms.clock.advance(61)
    await reconcile(lms.deps, always)
    expect(await statusOf(lms, odd)).toBe('REVIEW')
    pay(lms, late)
    pay(lms, odd, { force: true })
    await reconcile(lms.deps, always)
    expect([await statusOf(lms, late), await statusOf(lms, odd)]).toEqual(['EXPIRED', 'REVIEW'])
    lms.clock.advance(3_601)
    await reconcile(lms.deps, always)
    expect([await statusOf(lms, late), await statusOf(lms, odd)]).toEqual([
      'FULFILLED',
      'FULFILLED',
    ])
  })

  it('stops when the lease is lost, and when the server stops', async () => {
    const opened = await anOrder(lms)
    pay(lms, opened)
    lms.clock.advance(61)
    await reconcile(lms.deps, () => Promise.resolve(false))
    expect(await statusOf(lms, opened)).toBe('CREATED')
    for (const job of paymentJobs) await job.run(lms.deps, AbortSignal.abort())
    expect(await statusOf(lms, opened)).toBe('CREATED')
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })
})

describe('an order in review', () => {
  it('is over when all that was paid for it was given back', async () => {
    const { api } = await anAdmin(lms)
    const opened = await anOrder(lms)
    const paid = pay(lms, opened, { amount: 60_000 })
    lms.clock.advance(61)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('REVIEW')
    const orderId = opened.order.id
    const again = await anAdmin(lms)
    await again.api.refunds.create.mutate({ orderId, paymentId: paid.razorpay_payment_id })
    await lms.razorpay.with({ drop: 'none' }, async () => {
      await deliverWebhooks(lms)
      lms.clock.advance(601)
      await lms.work()
    })
    expect(await statusOf(lms, opened)).toBe('EXPIRED')
    const stuck = await api.orders.stuck.query({ limit: 100 })
    expect(stuck.items.map(({ id }) => id)).not.toContain(orderId)
    await expectSound(lms)
  })

  it('is listed page by page', async () => {
    const { api } = await anAdmin(lms)
    const made: string[] = []
    for (let n = 0; n < 3; n += 1) {
      const opened = await anOrder(lms)
      pay(lms, opened, { amount: 100 })
      made.push(opened.order.id)
    }
    lms.clock.advance(61)
    await lms.work()
    const ids: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page = await api.orders.stuck.query({ limit: 2, ...(cursor !== '' && { cursor }) })
      expect(page.items.length).toBeLessThanOrEqual(2)
      ids.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor
    }
    expect(ids).toEqual(expect.arrayContaining(made))
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('somebody who', () => {
  it('deleted the account before the payment came gets the money back', async () => {
    const opened = await anOrder(lms)
    await opened.buyer.api.account.delete.mutate({ password: opened.buyer.password })
    const { razorpay_payment_id: paymentId } = pay(lms, opened)
    lms.clock.advance(61)
    await lms.work()
    lms.clock.advance(601)
    await lms.work()
    expect(await lms.db.orm.enrollments.where({ userId: opened.buyer.user.id }).all()).toEqual([])
    expect(ledgerOf(lms, paymentId)).toMatchObject({ refunded: 49_900 })
    expect(await statusOf(lms, opened)).toBe('EXPIRED')
    await expectSound(lms)
  })

  it('opens order after order is stopped at twenty', async () => {
    const { buyer } = await anOrder(lms)
    for (let n = 1; n < 20; n += 1) await anOrder(lms, { buyer })
    const courseIds = [await aCourseId(lms)]
    await expect(buyer.api.orders.create.mutate({ courseIds })).rejects.toMatchObject({
      data: { reason: 'TOO_MANY_OPEN_ORDERS' },
    })
    lms.clock.advance(61 * 60)
    await anOrder(lms, { buyer, courseIds })
  })
})
