import { beforeAll, describe, expect, it } from 'vitest'
import { paymentJobs } from '../../src/payments/jobs.ts'
import { fulfillById } from '../../src/payments/settlement/fulfillment.ts'
import { settlePayment } from '../../src/payments/settlement/settle-payment.ts'
import { aCourseId, anOrder, pay, payWithoutWebhooks } from '../support/builders/orders.ts'
import { aStudent } from '../support/builders/people.ts'
import { runJob, startLms, type Lms } from '../support/harness.ts'
import {
  deliverWebhooks,
  expectSound,
  grantCount,
  isIn,
  statusOf,
} from '../support/order-checks.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const refundsOf = (paymentId: string) => lms.db.orm.refunds.where({ paymentId }).all()

describe('one order paid twice', () => {
  it('is fulfilled by one payment, and the other goes back', async () => {
    const opened = await anOrder(lms)
    pay(lms, opened, { outcome: 'double' })
    await deliverWebhooks(lms)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    const ledger = lms.razorpay.ledger().orders.find(({ id }) => id === opened.order_id)
    expect(ledger).toMatchObject({ captured: 99_800, refunded: 49_900 })
    expect(await grantCount(lms, opened.buyer, opened.courseIds[0] ?? '')).toBe(1)
    await expectSound(lms)
  })
})

describe('two orders for one course, both paid', () => {
  it('give the course once and the money of one line back', async () => {
    const [shared, extra] = [await aCourseId(lms, 30_000), await aCourseId(lms, 20_000)]
    const buyer = await aStudent(lms)
    const one = await anOrder(lms, { buyer, courseIds: [shared] })
    const two = await anOrder(lms, { buyer, courseIds: [shared, extra] })
    pay(lms, one)
    await deliverWebhooks(lms)
    const paid = pay(lms, two)
    await deliverWebhooks(lms)
    expect([await statusOf(lms, one), await statusOf(lms, two)]).toEqual(['FULFILLED', 'FULFILLED'])
    const [refund, ...others] = await refundsOf(paid.razorpay_payment_id)
    expect(refund).toMatchObject({ amountPaise: 30_000, status: 'PROCESSED', cause: 'duplicate' })
    expect(others).toEqual([])
    expect(await isIn(buyer, shared)).toBe(true)
    expect(await isIn(buyer, extra)).toBe(true)
    const told = await lms.db.orm.outbox_mails.where({ template: 'enrolled' }).all()
    const granted = two.order.lines.find(({ courseId }) => courseId === extra)?.no
    expect(told.map(({ key }) => key).filter((key) => key.includes(two.order.id))).toEqual([
      `enrolled:${two.order.id}:${granted}`,
    ])
    await expectSound(lms)
  })

  it('settled at the same moment, still give back exactly one', async () => {
    for (let round = 0; round < 5; round += 1) {
      const courseId = await aCourseId(lms, 10_000)
      const other = await aCourseId(lms, 5_000)
      const buyer = await aStudent(lms)
      const one = await anOrder(lms, { buyer, courseIds: [courseId] })
      const two = await anOrder(lms, { buyer, courseIds: [courseId, other] })
      const paid = [payWithoutWebhooks(lms, one), payWithoutWebhooks(lms, two)]
      await Promise.all(paid.map((answer) => buyer.api.orders.verify.mutate(answer)))
      const given = await Promise.all(
        paid.map(({ razorpay_payment_id }) => refundsOf(razorpay_payment_id)),
      )
      expect(given.flat().map(({ amountPaise }) => amountPaise)).toEqual([10_000])
      expect(await isIn(buyer, courseId)).toBe(true)
      await deliverWebhooks(lms)
    }
    await expectSound(lms)
  })
})

describe('the fulfillment', () => {
  it('run by twenty at once on two instances does everything once', async () => {
    const { deps } = await lms.another()
    const opened = await anOrder(lms)
    const { razorpay_payment_id: id } = payWithoutWebhooks(lms, opened)
    const payment = await lms.deps.gateways.forNewOrders.fetchPayment(id)
    await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        settlePayment(at % 2 === 0 ? lms.deps : deps, payment, { source: 'webhook' }),
      ),
    )
    await fulfillById(lms.deps, opened.order.id)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    expect(await grantCount(lms, opened.buyer, opened.courseIds[0] ?? '')).toBe(1)
    expect(await lms.db.orm.invoices.where({ orderId: opened.order.id }).all()).toHaveLength(1)
    await expectSound(lms)
  })
})

describe('two instances sweeping at once', () => {
  it('do every order once', async () => {
    const { deps } = await lms.another()
    const opened = await Promise.all(Array.from({ length: 6 }, () => anOrder(lms)))
    for (const one of opened) payWithoutWebhooks(lms, one)
    lms.clock.advance(90)
    await Promise.all(
      paymentJobs.flatMap((job) => [lms.deps, deps, lms.deps].map((each) => runJob(job, each))),
    )
    for (const one of opened) {
      expect(await statusOf(lms, one)).toBe('FULFILLED')
      expect(await grantCount(lms, one.buyer, one.courseIds[0] ?? '')).toBe(1)
    }
    await expectSound(lms)
  })
})
