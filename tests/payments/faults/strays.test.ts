// Money that fits no order, or another one than it should.
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createOrder } from '../../../sandbox/razorpay/model/orders.ts'
import { anOrder, pay, payWithoutWebhooks } from '../../support/builders/orders.ts'
import { anAdmin } from '../../support/builders/people.ts'
import { startLms, type Lms } from '../../support/harness.ts'
import {
  deliverWebhooks,
  expectSound,
  isIn,
  statusOf,
  introduceAccount,
} from '../../support/order-checks.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
  await introduceAccount(lms)
})
afterEach(async () => {
  await deliverWebhooks(lms)
  await expectSound(lms)
})

const paymentOf = (id: string) => {
  const payment = lms.razorpay.state.payments.get(id)?.payment
  return { ...payment } as Record<string, unknown>
}

describe('an event that fits nothing', () => {
  it('of an order we do not know is acknowledged and set aside for an administrator', async () => {
    const theirs = createOrder(lms.razorpay.state, { amount: 49_900, currency: 'INR' })
    const { payment } = lms.razorpay.pay(theirs.id)
    await deliverWebhooks(lms)
    expect(lms.razorpay.deliveries().at(-1)?.state).toBe('delivered')
    const { api } = await anAdmin(lms)
    const stuck = await api.orders.stuck.query()
    expect(stuck.payments.map(({ paymentId }) => paymentId)).toContain(payment?.id)
  })

  it.each([
    ['less', { amount: 49_800 }],
    ['more', { amount: 50_000 }],
    ['another currency', { currency: 'USD' }],
  ])('being %s enrols nobody and puts the order in review', async (_what, input) => {
    const opened = await anOrder(lms)
    const paid = pay(lms, opened, input)
    await deliverWebhooks(lms)
    expect(await statusOf(lms, opened)).toBe('REVIEW')
    expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(false)
    const { api } = await anAdmin(lms)
    const stuck = await api.orders.stuck.query()
    expect(stuck.items.map(({ id }) => id)).toContain(opened.order.id)
    const ids = stuck.payments.map(({ paymentId }) => paymentId)
    expect(ids).toContain(paid.razorpay_payment_id)
  })

  it('in review is fulfilled by a right payment after all', async () => {
    const opened = await anOrder(lms)
    pay(lms, opened, { amount: 100 })
    await deliverWebhooks(lms)
    expect(await statusOf(lms, opened)).toBe('REVIEW')
    pay(lms, opened, { force: true })
    await deliverWebhooks(lms)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('of another account has no effect and is logged', async () => {
    const opened = await anOrder(lms)
    const { razorpay_payment_id: id } = payWithoutWebhooks(lms, opened)
    await lms.razorpay.sendEvent({
      name: 'payment.captured',
      accountId: 'acc_SomebodyElse01',
      payload: { payment: { entity: paymentOf(id) } },
    })
    await deliverWebhooks(lms)
    expect(await statusOf(lms, opened)).toBe('CREATED')
    expect(lms.logs().some((line) => line.includes('webhook of another account'))).toBe(true)
    lms.clock.advance(61)
    await lms.work()
  })
})
