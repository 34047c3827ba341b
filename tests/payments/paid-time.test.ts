// When it was paid is the gateway's to say, within reason; when we heard of it is nobody's business.
import { beforeEach, describe, expect, it } from 'vitest'
import { InvoiceBody } from '../../src/invoices/invoice-body.ts'
import {
  anOrder,
  aSale,
  lineOf,
  payWithoutWebhooks,
  type Opened,
} from '../support/builders/orders.ts'
import { anAdmin, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { deliverWebhooks, expectSound, isIn, statusOf } from '../support/order-checks.ts'
import { startMemoryLms } from '../support/memory-gateway/lms.ts'

let lms: Lms
beforeEach(async () => {
  lms = await startLms()
  lms.razorpay.webhooks.drop = 'all'
})

const DAY = 24 * 3_600

/** Moves the clock forward to this moment. */
function goTo(moment: string): void {
  lms.clock.advance((Date.parse(moment) - lms.clock.now().getTime()) / 1000)
}

/** Paid now, and heard of when so many seconds have gone by. */
async function foundAfter(seconds: number, opened: Opened): Promise<Date> {
  const paidAt = lms.clock.now()
  payWithoutWebhooks(lms, opened)
  lms.clock.advance(seconds)
  await lms.work()
  expect(await statusOf(lms, opened)).toBe('FULFILLED')
  return paidAt
}

const orderOf = async ({ order }: Opened) => lms.db.orm.orders.where({ _id: order.id }).first()
const invoiceOf = async ({ order }: Opened) =>
  lms.db.orm.invoices.where({ orderId: order.id }).first()

async function signedInAgain({ user, password, api }: Person): Promise<void> {
  await api.auth.login.mutate({ email: user.email, password })
}

const seconds = (date: Date | null | undefined) => Math.floor((date?.getTime() ?? 0) / 1000)

describe('what was paid while no webhook came', () => {
  it('is of the day it was paid on: order, invoice and earnings', async () => {
    goTo('2027-11-25T09:00:00Z')
    const opened = await anOrder(lms)
    const paidAt = await foundAfter(3 * DAY, opened)
    const order = await orderOf(opened)
    expect(seconds(order?.paidAt)).toBe(seconds(paidAt))
    const invoice = await invoiceOf(opened)
    expect(seconds(invoice?.issuedAt)).toBe(seconds(paidAt))
    expect(InvoiceBody.parse(invoice?.body).paidAt).toBe(order?.paidAt?.toISOString())
    const { api } = await anAdmin(lms)
    const period = { from: new Date('2027-11-20T00:00:00Z'), to: lms.clock.now() }
    const [earned] = await api.earnings.byInstructor.query({
      period,
      courseId: opened.courseIds[0],
    })
    expect(earned?.days).toMatchObject([{ day: '2027-11-25', sold: 1, grossPaise: 49_900 }])
    await expectSound(lms)
  })

  it('is of that day’s financial year, and each year’s numbers have no gap', async () => {
    goTo('2027-03-31T10:00:00Z')
    const late = await anOrder(lms)
    payWithoutWebhooks(lms, late)
    const before = await aSale(lms)
    goTo('2027-04-01T10:00:00Z')
    const after = await aSale(lms)
    await lms.work()
    expect(await statusOf(lms, late)).toBe('FULFILLED')
    expect((await invoiceOf(late))?.series).toBe('26-27')
    expect((await invoiceOf(before))?.series).toBe('26-27')
    expect((await invoiceOf(after))?.series).toBe('27-28')
    expect((await invoiceOf(late))?.serial).toBe(2)
    await expectSound(lms)
  })

  it('is refundable for as long as if we had heard at once', async () => {
    const opened = await anOrder(lms)
    await foundAfter(3 * DAY, opened)
    const course = await lms.db.orm.courses.where({ _id: opened.courseIds[0] ?? '' }).first()
    const window = (course?.refundDays ?? 0) * DAY
    const ask = () =>
      opened.buyer.api.orders.requestRefund.mutate({
        orderId: opened.order.id,
        courseId: lineOf(opened, 49_900).courseId,
      })
    lms.clock.advance(window - 3 * DAY + 60)
    await signedInAgain(opened.buyer)
    await refused(ask(), 'REFUND_WINDOW_OVER')
    lms.clock.advance(-120)
    await signedInAgain(opened.buyer)
    expect(await ask()).toMatchObject({ amountPaise: 49_900 })
    await deliverWebhooks(lms)
  })

  it('is never of the future, nor of before the order', async () => {
    for (const off of [400 * DAY, -400 * DAY]) {
      const opened = await anOrder(lms)
      const { razorpay_payment_id: id } = payWithoutWebhooks(lms, opened)
      const payment = lms.razorpay.state.payments.get(id)?.payment
      if (payment) payment.created_at += off
      lms.clock.advance(61)
      await lms.work()
      const order = await orderOf(opened)
      expect(order?.status).toBe('FULFILLED')
      expect(order?.paidAt?.getTime()).toBeLessThanOrEqual(lms.clock.now().getTime())
      expect(order?.paidAt?.getTime()).toBeGreaterThanOrEqual(opened.order.createdAt.getTime())
      if (off < 0) expect(order?.paidAt).toEqual(opened.order.createdAt)
    }
  })

  it('is of the time the gateway took it, where it tells that', async () => {
    const memory = await startMemoryLms()
    const opened = await anOrder(memory)
    const id = await memory.bank.with({ drop: 'all' }, () => memory.bank.pay(opened.order_id).id)
    memory.clock.advance(30 * 60)
    await memory.bank.with({ drop: 'all' }, () => {
      memory.bank.take(id)
    })
    const { madeAt, takenAt } = memory.bank.state.charges.get(id) ?? {}
    memory.clock.advance(2 * DAY)
    await memory.work()
    const order = await memory.db.orm.orders.where({ _id: opened.order.id }).first()
    expect(order?.paidAt).toEqual(takenAt)
    const payment = await memory.db.orm.payments.where({ gatewayPaymentId: id }).first()
    expect([payment?.madeAt, payment?.capturedAt]).toEqual([madeAt, takenAt])
    await expectSound(memory)
  })
})

describe('what was taken back while no webhook came', () => {
  it('is of the day it was taken back on', async () => {
    goTo('2027-11-20T09:00:00Z')
    const [given, lost] = [await aSale(lms), await aSale(lms)]
    goTo('2027-11-25T09:00:00Z')
    lms.razorpay.refund(given.paymentId, 10_000)
    const { id } = lms.razorpay.openDispute({ paymentId: lost.paymentId })
    lms.razorpay.webhooks.drop = 'none'
    lms.razorpay.webhooks.hold = true
    lms.razorpay.moveDispute(id, 'lost')
    goTo('2027-11-28T09:00:00Z')
    await lms.work()
    const refund = await lms.db.orm.refunds.where({ paymentId: given.paymentId }).first()
    expect(refund?.createdAt).toEqual(new Date('2027-11-25T09:00:00Z'))
    const dispute = await lms.db.orm.disputes.where({ paymentId: lost.paymentId }).first()
    expect(dispute?.createdAt).toEqual(new Date('2027-11-25T09:00:00Z'))
    expect(await isIn(lost.buyer, lost.courseIds[0] ?? '')).toBe(false)
  })

  it('by a dispute, is of the day that its event tells', async () => {
    goTo('2027-11-20T09:00:00Z')
    const sale = await aSale(lms)
    const { id } = lms.razorpay.openDispute({ paymentId: sale.paymentId })
    goTo('2027-11-25T09:00:00Z')
    lms.razorpay.webhooks.drop = 'none'
    lms.razorpay.with({ hold: true }, () => lms.razorpay.moveDispute(id, 'lost'))
    goTo('2027-11-28T09:00:00Z')
    await lms.razorpay.release()
    await deliverWebhooks(lms)
    const { api } = await anAdmin(lms)
    const period = { from: new Date('2027-11-22T00:00:00Z'), to: lms.clock.now() }
    const [earned] = await api.earnings.byInstructor.query({ period, courseId: sale.courseIds[0] })
    expect(earned?.days).toMatchObject([{ day: '2027-11-25', refundPaise: 49_900 }])
  })
})

describe('the invariants', () => {
  it('see an order or an invoice of another day than its payment', async () => {
    const opened = await anOrder(lms)
    await foundAfter(3 * DAY, opened)
    const { api } = await anAdmin(lms)
    const found = async () =>
      (await api.admin.invariants.query({ graceSeconds: 0 })).map(({ subject }) => subject)
    const paidAt = (await orderOf(opened))?.paidAt ?? null
    const order = lms.db.orm.orders.where({ _id: opened.order.id })
    await order.update({ paidAt: lms.clock.now() })
    // The invoice, too, is of another day than that.
    expect(await found()).toEqual([`order ${opened.order.id}`, `order ${opened.order.id}`])
    await order.update({ paidAt })
    expect(await found()).toEqual([])
    const invoice = lms.db.orm.invoices.where({ orderId: opened.order.id })
    await invoice.update({ issuedAt: lms.clock.now() })
    expect(await found()).toEqual([`order ${opened.order.id}`])
  })

  it('see an event that was given up and left its payment nowhere', async () => {
    const opened = await anOrder(lms)
    const { razorpay_payment_id: paymentId } = payWithoutWebhooks(lms, opened)
    const at = lms.clock.now()
    await lms.db.orm.webhook_events.create({
      ...{ gateway: 'razorpay', eventId: 'given-up', event: 'payment.captured', body: '{}' },
      ...{ receivedAt: at, nextAt: at, state: 'DEAD', attempts: 1, processedAt: null },
      ...{ outcome: 'a payment that cannot be read', paymentId },
    })
    const { api } = await anAdmin(lms)
    const found = () => api.admin.invariants.query({ graceSeconds: 0 })
    expect(await found()).toMatchObject([{ subject: 'event given-up' }])
    lms.clock.advance(61)
    await lms.work()
    expect(await found()).toEqual([])
  })
})
