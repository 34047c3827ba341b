// Each invariant is shown to notice what it is there for: the books are spoiled on purpose, one page at a time.
import { ObjectId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findViolations } from '../../src/orders/invariants.ts'
import { anAdmin, aStudent } from '../builders.ts'
import { aSale, anOrder, pay, settle } from '../builders-orders.ts'
import { refused } from '../client.ts'
import { startLms, type Lms } from '../harness.ts'

let lms: Lms
let sale: Awaited<ReturnType<typeof aSale>>
beforeAll(async () => {
  lms = await startLms()
})
beforeEach(async () => {
  sale = await aSale(lms)
})

const rows = (name: string) => lms.db.driver.collection(name)
const orderId = () => new ObjectId(sale.order.id)

async function violations(): Promise<string[]> {
  const found = await findViolations(lms.deps, { graceSeconds: 0 })
  const ids = [sale.order.id, sale.paymentId, sale.buyer.user.id]
  return found
    .filter(({ subject }) => ids.some((id) => subject.includes(id)))
    .map(({ detail }) => detail)
}

describe('sound books', () => {
  it('show no violation', async () => {
    expect(await violations()).toEqual([])
  })

  it('are shown to administrators only', async () => {
    const { api } = await aStudent(lms)
    await refused(api.admin.invariants.query(), 'FORBIDDEN')
    expect(await (await anAdmin(lms)).api.admin.invariants.query()).toBeInstanceOf(Array)
  })

  it('give what was just paid a minute', async () => {
    await rows('orders').updateOne({ _id: orderId() }, { $set: { status: 'PAID' } })
    expect(await violations()).toContain('is paid and not fulfilled')
    const found = await findViolations(lms.deps, { graceSeconds: 60 })
    expect(found.map(({ subject }) => subject)).not.toContain(`order ${sale.order.id}`)
  })
})

describe('spoiled books are noticed:', () => {
  it('a buyer who paid and cannot get in', async () => {
    await rows('enrollments').deleteMany({ userId: new ObjectId(sale.buyer.user.id) })
    expect(await violations()).toEqual(['line 1 is not open'])
  })

  it('a captured payment whose order was never paid', async () => {
    lms.razorpay.webhooks.drop = 'all'
    const opened = await anOrder(lms)
    const { razorpay_payment_id: id } = pay(lms, opened)
    lms.razorpay.webhooks.drop = 'none'
    const payment = await rows('payments').findOne({ razorpayPaymentId: sale.paymentId })
    await rows('payments').insertOne({
      ...payment,
      _id: new ObjectId(),
      razorpayPaymentId: id,
      orderId: opened.order.id,
    })
    const found = await findViolations(lms.deps, { graceSeconds: 0 })
    const about = found.filter(({ subject }) => subject.includes(id))
    expect(about.map(({ detail }) => detail).sort()).toEqual([
      '49900 paise belong to nothing',
      'is captured, and its order is CREATED',
    ])
    await rows('payments').deleteOne({ razorpayPaymentId: id })
    lms.clock.advance(61)
    await lms.work()
  })

  it('access on the payment of somebody else', async () => {
    const other = await aStudent(lms)
    await rows('enrollments').updateOne(
      { userId: new ObjectId(sale.buyer.user.id) },
      { $set: { userId: new ObjectId(other.user.id) } },
    )
    const found = await findViolations(lms.deps, { graceSeconds: 0 })
    const about = found.filter(({ subject }) => subject.includes(other.user.id))
    expect(about.map(({ detail }) => detail)).toEqual(['its order is of another user'])
  })

  it.each([
    ['amountPaise', 100, 'its payment is of another amount'],
    ['currency', 'USD', 'its payment is of another amount'],
    ['status', 'authorized', 'its payment is authorized'],
  ])('access on a payment with another %s', async (field, value, detail) => {
    const which = { razorpayPaymentId: sale.paymentId }
    await rows('payments').updateOne(which, { $set: { [field]: value } })
    expect(await violations()).toContain(detail)
  })

  it('access kept after the money was given back, and money that nothing was reserved for', async () => {
    const admin = await anAdmin(lms)
    await admin.api.refunds.create.mutate({ orderId: sale.order.id })
    await settle(lms)
    expect(await violations()).toEqual([])
    await rows('enrollments').updateOne(
      { userId: new ObjectId(sale.buyer.user.id) },
      { $set: { 'grants.0.revokedAt': null } },
    )
    expect(await violations()).toContain('its payment is refunded')
    const which = { razorpayPaymentId: sale.paymentId }
    await rows('payments').updateOne(which, { $set: { reservedPaise: 1 } })
    expect(await violations()).toContain('1 paise reserved for 49900')
    await rows('payments').updateOne(which, { $set: { amountPaise: 49_899 } })
    expect(await violations()).toContain('49900 paise given back of 49899')
  })

  it('a refund of a payment nobody knows', async () => {
    await rows('payments').deleteOne({ razorpayPaymentId: sale.paymentId })
    expect(await violations()).toContain('its payment is gone')
  })

  it('a state that its marks do not fit, and one gone through twice', async () => {
    await rows('orders').updateOne({ _id: orderId() }, { $set: { fulfilledAt: null } })
    expect(await violations()).toContain('is FULFILLED, which its marks do not fit')
    await rows('orders').updateOne(
      { _id: orderId() },
      { $push: { timeline: { at: new Date(), event: 'paid', detail: null } as never } },
    )
    expect(await violations()).toContain('went through a state twice')
  })

  it('a sale without its invoice', async () => {
    await rows('invoices').deleteOne({ orderId: sale.order.id })
    expect(await violations()).toEqual(['it has no invoice'])
  })

  it('a coupon that a paid order did not use', async () => {
    await rows('orders').updateOne({ _id: orderId() }, { $set: { couponCode: 'NEVER' } })
    expect(await violations()).toEqual(['its coupon is not used'])
  })
})
