// A refund is made in the dashboard, or fails at the bank, and its events come in any order.
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { anOrder, aSale, pay, type Sale } from '../../support/builders/orders.ts'
import { anAdmin, type Person } from '../../support/builders/people.ts'
import { startLms, type Lms } from '../../support/harness.ts'
import {
  deliverWebhooks,
  expectSound,
  isIn,
  statusOf,
  ledgerOf,
} from '../../support/order-checks.ts'

let lms: Lms
let admin: Person
beforeAll(async () => {
  lms = await startLms()
})
beforeEach(async () => {
  admin = await anAdmin(lms)
})
afterEach(async () => {
  lms.clock.advance(20 * 60)
  await lms.work()
  await deliverWebhooks(lms)
  await expectSound(lms)
})

const refundsAt = (paymentId: string) => ledgerOf(lms, paymentId)?.refunds ?? []

const create = (sale: Sale, input = {}) =>
  admin.api.refunds.create.mutate({ orderId: sale.order.id, ...input })

const isOpen = ({ buyer, courseIds }: Sale) => isIn(buyer, courseIds[0] ?? '')

describe('a refund made in the dashboard', () => {
  it('of everything ends access by its event', async () => {
    const sale = await aSale(lms)
    lms.razorpay.refund(sale.paymentId)
    await deliverWebhooks(lms)
    expect(await isOpen(sale)).toBe(false)
    const order = await sale.buyer.api.orders.get.query({ orderId: sale.order.id })
    expect(order.refunds).toMatchObject([{ cause: 'dashboard', status: 'PROCESSED' }])
  })

  it('of a part leaves access as it is and stands in the books', async () => {
    const sale = await aSale(lms)
    lms.razorpay.refund(sale.paymentId, 1_000)
    await deliverWebhooks(lms)
    expect(await isOpen(sale)).toBe(true)
    const order = await sale.buyer.api.orders.get.query({ orderId: sale.order.id })
    expect(order.refundedPaise).toBe(1_000)
  })

  it('before we ever heard of the payment still gives nobody access', async () => {
    const opened = await anOrder(lms)
    lms.razorpay.with({ hold: true }, () => {
      lms.razorpay.refund(pay(lms, opened).razorpay_payment_id)
    })
    await lms.razorpay.release('reversed')
    await deliverWebhooks(lms)
    expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(false)
    expect(await statusOf(lms, opened)).not.toBe('PAID')
  })
})

describe('a refund that fails at the bank', () => {
  it('after access was ended gives it back and tells the administrators', async () => {
    const sale = await aSale(lms)
    const refund = await lms.razorpay.with({ refunds: 'pending' }, () => create(sale))
    await deliverWebhooks(lms)
    expect(await isOpen(sale)).toBe(false)
    lms.razorpay.settleRefund(refundsAt(sale.paymentId)[0]?.id ?? '', 'failed')
    await deliverWebhooks(lms)
    expect(await isOpen(sale)).toBe(true)
    const stuck = await admin.api.orders.stuck.query()
    expect(stuck.refunds.map(({ id }) => id)).toContain(refund.id)
  })

  it('whose earlier events come afterwards stays failed', async () => {
    const sale = await aSale(lms)
    await lms.razorpay.with({ refunds: 'failed', hold: true, copies: 2 }, () => create(sale))
    await lms.razorpay.release('reversed')
    await deliverWebhooks(lms)
    expect(await isOpen(sale)).toBe(true)
    const { items } = await admin.api.refunds.list.query({ orderId: sale.order.id })
    expect(items).toMatchObject([{ status: 'FAILED' }])
  })
})
