import { beforeAll, describe, expect, it } from 'vitest'
import { anOrder, aSale, pay } from '../support/builders/orders.ts'
import { aStudent } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
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
  lms.razorpay.webhooks.drop = 'all'
})

describe("the browser's answer", () => {
  it('fulfills the order and opens the course', async () => {
    const opened = await anOrder(lms)
    const paid = pay(lms, opened)
    const order = await opened.buyer.api.orders.verify.mutate(paid)
    expect(order).toMatchObject({ id: opened.order.id, status: 'FULFILLED' })
    expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(true)
    await expectSound(lms)
  })

  it('given ten times, one after the other, does it once', async () => {
    const opened = await anOrder(lms)
    const paid = pay(lms, opened)
    for (let time = 0; time < 10; time += 1) {
      expect((await opened.buyer.api.orders.verify.mutate(paid)).status).toBe('FULFILLED')
    }
    expect(await grantCount(lms, opened.buyer, opened.courseIds[0] ?? '')).toBe(1)
    await expectSound(lms)
  })

  it('leaves a payment that is only authorized waiting', async () => {
    const opened = await anOrder(lms)
    const paid = pay(lms, opened, { outcome: 'authorized' })
    expect((await opened.buyer.api.orders.verify.mutate(paid)).status).toBe('CREATED')
    expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(false)
  })

  it('shows in the timeline who brought it', async () => {
    const { buyer, order, paymentId } = await aSale(lms)
    const { timeline } = await buyer.api.orders.get.query({ orderId: order.id })
    expect(timeline.map(({ event }) => event)).toEqual([
      'created',
      'payment captured',
      'paid',
      'fulfilled',
    ])
    expect(timeline[2]?.detail).toBe(`${paymentId} by verify`)
  })

  it('puts the receipt and the welcome into the outbox once', async () => {
    const { order } = await aSale(lms)
    const keys = [`receipt:${order.id}`, `enrolled:${order.id}:1`]
    for (const key of keys) {
      expect(await lms.db.orm.outbox_mails.where({ key }).all()).toHaveLength(1)
    }
  })
})

describe('verification refuses', () => {
  it('an altered signature, and nothing changes', async () => {
    const opened = await anOrder(lms)
    const paid = pay(lms, opened)
    for (const razorpay_signature of [
      '',
      'f'.repeat(64),
      paid.razorpay_signature.toUpperCase(),
      `${paid.razorpay_signature}0`,
    ]) {
      await refused(
        opened.buyer.api.orders.verify.mutate({ ...paid, razorpay_signature }),
        'SIGNATURE_INVALID',
      )
    }
    expect(await statusOf(lms, opened)).toBe('CREATED')
    await opened.buyer.api.orders.verify.mutate(paid)
    await expectSound(lms)
  })

  it("another buyer's order", async () => {
    const opened = await anOrder(lms)
    const paid = pay(lms, opened)
    const thief = await aStudent(lms)
    await refused(thief.api.orders.verify.mutate(paid), 'NOT_FOUND')
    expect(await isIn(thief, opened.courseIds[0] ?? '')).toBe(false)
    await opened.buyer.api.orders.verify.mutate(paid)
  })

  it('the valid answer of a cheaper order of the same buyer', async () => {
    const cheap = await anOrder(lms, { pricePaise: 100 })
    const dear = await anOrder(lms, { pricePaise: 90_000, buyer: cheap.buyer })
    const paid = pay(lms, cheap)
    const { api } = cheap.buyer
    await refused(
      api.orders.verify.mutate({ ...paid, orderId: dear.order.id }),
      'SIGNATURE_INVALID',
    )
    await refused(
      api.orders.verify.mutate({
        ...paid,
        orderId: dear.order.id,
        razorpay_order_id: dear.order_id,
      }),
      'SIGNATURE_INVALID',
    )
    expect(await statusOf(lms, dear)).toBe('CREATED')
    await api.orders.verify.mutate(paid)
  })

  it('what is no id of Razorpay', async () => {
    const opened = await anOrder(lms)
    const paid = { ...pay(lms, opened), razorpay_payment_id: '../orders/x' }
    await refused(opened.buyer.api.orders.verify.mutate(paid), 'INVALID_INPUT')
    lms.clock.advance(120)
    await lms.work()
  })
})

describe('verify and webhook together', () => {
  it('at the same time, ten times over, fulfill once', async () => {
    const opened = await anOrder(lms)
    const orders = await lms.razorpay.with(
      { drop: 'none', hold: true, copies: 3, parallel: true },
      async () => {
        const paid = pay(lms, opened)
        const verify = () => opened.buyer.api.orders.verify.mutate(paid)
        const [verified] = await Promise.all([
          Promise.all(Array.from({ length: 10 }, verify)),
          lms.razorpay.release(),
        ])
        await deliverWebhooks(lms)
        return verified
      },
    )
    expect(orders.map(({ id }) => id)).toEqual(orders.map(() => opened.order.id))
    const answers = lms.razorpay
      .deliveries()
      .filter(({ body }) => body.includes(opened.order_id))
      .flatMap(({ attempts }) => attempts.map(({ status }) => status))
    expect(answers).toEqual(Array.from({ length: 3 * 3 }, () => 200))
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    expect(await grantCount(lms, opened.buyer, opened.courseIds[0] ?? '')).toBe(1)
    const receipts = await lms.db.orm.outbox_mails
      .where({ key: `receipt:${opened.order.id}` })
      .all()
    expect(receipts).toHaveLength(1)
    await expectSound(lms)
  })
})
