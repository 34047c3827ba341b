import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { anOrder, aSale, pay } from '../support/builders/orders.ts'
import { anAdmin, type Person } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { deliverWebhooks, expectSound, isIn, statusOf, ledgerOf } from '../support/order-checks.ts'

let lms: Lms
let admin: Person
beforeAll(async () => {
  lms = await startLms()
})
// Of each test's own, since clocks jump here and a refund wants the password proved lately.
beforeEach(async () => {
  admin = await anAdmin(lms)
})

const create = (input: Parameters<Person['api']['refunds']['create']['mutate']>[0]) =>
  admin.api.refunds.create.mutate(input)

describe('a refund that Razorpay takes its time for', () => {
  it('ends access at once and is found processed by a poll', async () => {
    const sale = await aSale(lms)
    const refund = await lms.razorpay.with({ refunds: 'pending' }, () =>
      create({ orderId: sale.order.id }),
    )
    expect(refund.status).toBe('PENDING')
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(false)
    const theirs = ledgerOf(lms, sale.paymentId)?.refunds[0]?.id ?? ''
    lms.razorpay.with({ drop: 'all' }, () => lms.razorpay.settleRefund(theirs, 'processed'))
    lms.clock.advance(11 * 60)
    await lms.work()
    const { refunds } = await sale.buyer.api.orders.get.query({ orderId: sale.order.id })
    expect(refunds).toMatchObject([{ status: 'PROCESSED' }])
    await expectSound(lms)
  })

  it('and then fails gives access back', async () => {
    const sale = await aSale(lms)
    await lms.razorpay.with({ refunds: 'pending' }, () => create({ orderId: sale.order.id }))
    await deliverWebhooks(lms)
    const courseId = sale.courseIds[0] ?? ''
    expect(await isIn(sale.buyer, courseId)).toBe(false)
    lms.razorpay.settleRefund(ledgerOf(lms, sale.paymentId)?.refunds[0]?.id ?? '', 'failed')
    await deliverWebhooks(lms)
    expect(await isIn(sale.buyer, courseId)).toBe(true)
    expect((await admin.api.orders.stuck.query()).refunds.map(({ orderId }) => orderId)).toContain(
      sale.order.id,
    )
    // Asked again without a key, it is a new intent, since the first one failed.
    const second = await create({ orderId: sale.order.id })
    expect(second.status).toBe('PROCESSED')
    await deliverWebhooks(lms)
    expect(await isIn(sale.buyer, courseId)).toBe(false)
    await expectSound(lms)
  })
})

describe('a second payment whose refund fails at the bank', () => {
  it('is set aside, and an administrator sees it and gives it back', async () => {
    const sale = await aSale(lms)
    const twin = await lms.razorpay.with({ refunds: 'failed' }, async () => {
      const { razorpay_payment_id: second } = pay(lms, sale, { force: true })
      await deliverWebhooks(lms)
      return second
    })
    const stray = async () =>
      (await admin.api.orders.stuck.query()).payments.find(({ paymentId }) => paymentId === twin)
    expect(await stray()).toMatchObject({ reason: 'its refund failed', amountPaise: 49_900 })
    await expectSound(lms)
    await create({ orderId: sale.order.id, paymentId: twin })
    await deliverWebhooks(lms)
    expect(ledgerOf(lms, twin)?.refunded).toBe(49_900)
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(true)
    await expectSound(lms)
  })
})

describe('a payment set aside', () => {
  it('is told to every administrator, once', async () => {
    const other = await anAdmin(lms)
    const opened = await anOrder(lms, { pricePaise: 10_000 })
    lms.razorpay.with({ copies: 3 }, () => pay(lms, opened, { amount: 9_000 }))
    await deliverWebhooks(lms)
    for (const { user } of [admin, other]) {
      const mails = await lms.db.orm.outbox_mails
        .where({ to: user.email, template: 'order-review' })
        .all()
      const about = mails.filter(({ key }) => key.includes(opened.order.id))
      expect(about).toMatchObject([{ state: 'WAITING' }])
    }
  })

  it('can be given back by an administrator', async () => {
    const opened = await anOrder(lms, { pricePaise: 10_000 })
    const paid = pay(lms, opened, { amount: 9_000 })
    await deliverWebhooks(lms)
    expect(await statusOf(lms, opened)).toBe('REVIEW')
    const { razorpay_payment_id: paymentId } = paid
    const refund = await create({ orderId: opened.order.id, paymentId })
    expect(refund).toMatchObject({ amountPaise: 9_000, status: 'PROCESSED' })
    await deliverWebhooks(lms)
    await expectSound(lms)
  })
})
