// Each invariant is shown to notice what it is there for: the books are spoiled on purpose, one page at a
// time.
import { ObjectId, type Document, type WithId } from 'mongodb'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findViolations } from '../../src/books/invariants/invariants.ts'
import { aSale, anOrder, payWithoutWebhooks, type Sale } from '../support/builders/orders.ts'
import { anAdmin, aStudent } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { deliverWebhooks } from '../support/order-checks.ts'

let lms: Lms
let sale: Sale
beforeAll(async () => {
  lms = await startLms()
})
beforeEach(async () => {
  sale = await aSale(lms)
})

const rows = (name: string) => lms.db.driver.collection(name)
const orderId = () => new ObjectId(sale.order.id)

let spoiled = 0
const ODD_LINE = 'has a line that costs less than nothing or more than its list price'

async function one(name: string, which: Document): Promise<WithId<Document>> {
  const row = await rows(name).findOne(which)
  if (!row) throw new Error(`nothing in ${name}`)
  return row
}

async function violationsOf(subject: string): Promise<string[]> {
  const found = await findViolations(lms.deps, { graceSeconds: 0 })
  return found.filter((one) => one.subject.includes(subject)).map(({ detail }) => detail)
}

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
    const opened = await anOrder(lms)
    const { razorpay_payment_id: id } = payWithoutWebhooks(lms, opened)
    const payment = await rows('payments').findOne({ gatewayPaymentId: sale.paymentId })
    await rows('payments').insertOne({
      ...payment,
      _id: new ObjectId(),
      gatewayPaymentId: id,
      orderId: opened.order.id,
    })
    const found = await findViolations(lms.deps, { graceSeconds: 0 })
    const about = found.filter(({ subject }) => subject.includes(id))
    expect(about.map(({ detail }) => detail).sort()).toEqual([
      '49900 paise belong to nothing',
      'is captured, and its order is CREATED',
    ])
    await rows('payments').deleteOne({ gatewayPaymentId: id })
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
    const which = { gatewayPaymentId: sale.paymentId }
    await rows('payments').updateOne(which, { $set: { [field]: value } })
    expect(await violations()).toContain(detail)
  })

  it('access kept after the money was given back, and money that nothing was reserved for', async () => {
    const admin = await anAdmin(lms)
    await admin.api.refunds.create.mutate({ orderId: sale.order.id })
    await deliverWebhooks(lms)
    expect(await violations()).toEqual([])
    await rows('enrollments').updateOne(
      { userId: new ObjectId(sale.buyer.user.id) },
      { $set: { 'grants.0.revokedAt': null } },
    )
    expect(await violations()).toContain('its payment is refunded')
    const which = { gatewayPaymentId: sale.paymentId }
    await rows('payments').updateOne(which, { $set: { reservedPaise: 1 } })
    expect(await violations()).toContain('1 paise reserved for 49900')
    await rows('payments').updateOne(which, { $set: { amountPaise: 49_899 } })
    expect(await violations()).toContain('49900 paise given back of 49899')
  })

  it('a refund of a payment nobody knows', async () => {
    await rows('payments').deleteOne({ gatewayPaymentId: sale.paymentId })
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

  it('a second payment of which only a part was given back', async () => {
    const [twin, key] = ['pay_TwinTwinTwinTw', 'a-part-of-a-twin']
    const payment = await one('payments', { gatewayPaymentId: sale.paymentId })
    const part = { amountPaise: 100, paymentId: twin, key, lineNos: [] }
    await rows('payments').insertOne({
      ...payment,
      _id: new ObjectId(),
      gatewayPaymentId: twin,
      refundKeys: [key],
      reservedPaise: 100,
    })
    const admin = await anAdmin(lms)
    await admin.api.refunds.create.mutate({ orderId: sale.order.id, amountPaise: 100 })
    const refund = await one('refunds', { paymentId: sale.paymentId })
    await rows('refunds').insertOne({
      ...refund,
      ...part,
      _id: new ObjectId(),
      gatewayRefundId: null,
    })
    expect(await violationsOf(twin)).toEqual(['49800 paise belong to nothing'])
    await rows('payments').deleteOne({ gatewayPaymentId: twin })
    await rows('refunds').deleteOne({ key })
    await deliverWebhooks(lms)
  })

  it.each([
    [{ amountPaise: 49_901 }, 'is not the sum of its lines'],
    [{ discountPaise: 5 }, 'is not the sum of its lines'],
    [{ 'lines.0.listPaise': 49_899 }, ODD_LINE],
    [{ 'lines.0.amountPaise': -1, 'lines.0.discountPaise': 49_901, amountPaise: -1 }, ODD_LINE],
  ])('an order changed to %j', async (change, detail) => {
    await rows('orders').updateOne({ _id: orderId() }, { $set: change })
    expect(await violations()).toContain(detail)
    await rows('orders').deleteOne({ _id: orderId() })
    await rows('enrollments').deleteMany({ userId: new ObjectId(sale.buyer.user.id) })
  })

  it('a sale whose buyer was sent no receipt, as long as its record would be kept', async () => {
    const which = { key: `receipt:${sale.order.id}` }
    await rows('outbox_mails').deleteOne(which)
    expect(await violations()).toEqual(['its receipt was never put into the outbox'])
    const fulfilledAt = new Date(lms.clock.now().getTime() - 31 * 86_400_000)
    await rows('orders').updateOne({ _id: orderId() }, { $set: { fulfilledAt } })
    expect(await violations()).toEqual([])
  })

  it('a gap among the invoices', async () => {
    const invoice = await one('invoices', { orderId: sale.order.id })
    const which = { _id: invoice._id }
    await rows('invoices').updateOne(which, { $set: { serial: 900_000 } })
    const gap = (await violationsOf('invoices of')).join()
    expect(gap).toMatch(/^are \d+, and the last is number 900000$/)
    await rows('invoices').updateOne(which, { $set: { serial: invoice['serial'] } })
  })

  it('a processed refund without its credit note, and a credit note without its refund', async () => {
    const { api } = await anAdmin(lms)
    const { id } = await api.refunds.create.mutate({ orderId: sale.order.id, amountPaise: 500 })
    await deliverWebhooks(lms)
    expect(await violationsOf('refund ')).toEqual([])
    const note = await one('credit_notes', { refundId: id })
    const number = String(note['number'])
    await rows('credit_notes').updateOne({ _id: note._id }, { $set: { 'body.totalPaise': 499 } })
    expect(await violationsOf(number)).toEqual([
      'is not the total of its order or its lines',
      'is not what was refunded',
    ])
    await rows('credit_notes').updateOne({ _id: note._id }, { $set: { serial: 700_000 } })
    expect((await violationsOf('credit notes of')).join()).toMatch(/and the last is number 700000$/)
    await rows('credit_notes').deleteOne({ _id: note._id })
    expect(await violationsOf('refund ')).toEqual(['has no credit note'])
    await rows('credit_notes').insertOne(note)
    const refund = { _id: new ObjectId(id) }
    await rows('refunds').updateOne(refund, { $set: { status: 'PENDING' } })
    expect(await violationsOf(number)).toEqual(['its refund is not processed'])
    await rows('refunds').updateOne(refund, { $set: { status: 'PROCESSED' } })
    expect(await violationsOf(number)).toEqual([])
  })

  it('an invoice that does not add up to its order', async () => {
    const which = { orderId: sale.order.id }
    const { number } = (await lms.db.orm.invoices.where(which).first()) ?? {}
    await rows('invoices').updateOne(which, { $set: { 'body.taxablePaise': 1 } })
    expect(await violationsOf(number ?? '')).toEqual(['is not its value and taxes'])
    await rows('invoices').updateOne(which, { $set: { 'body.totalPaise': 1 } })
    expect(await violationsOf(number ?? '')).toEqual(['is not the total of its order or its lines'])
  })

  it('an order that was paid after its buyer had left', async () => {
    const deletedAt = new Date(lms.clock.now().getTime() - 3_600_000)
    const buyer = { _id: new ObjectId(sale.buyer.user.id) }
    await rows('users').updateOne(buyer, { $set: { deletedAt } })
    expect(await violations()).toEqual(['was paid after its buyer’s account was deleted'])
    await rows('users').updateOne(buyer, { $set: { deletedAt: new Date(Date.now() + 1e9) } })
    expect(await violations()).toEqual([])
  })

  it('an order that was paid after its time, and nobody decided to take it', async () => {
    const order = await one('orders', { _id: orderId() })
    const paidAt = new Date((order['expiresAt'] as Date).getTime() + 1_000)
    await rows('orders').updateOne({ _id: orderId() }, { $set: { paidAt } })
    // The gateway's own time for it is another, too.
    const undecided = 'was paid after its time, and nobody decided to take it'
    expect(await violations()).toContain(undecided)
    const lateReason = 'its offer still stood'
    await rows('orders').updateOne({ _id: orderId() }, { $set: { lateReason } })
    expect(await violations()).not.toContain(undecided)
    const back = { paidAt: order['paidAt'] as Date, lateReason: null }
    await rows('orders').updateOne({ _id: orderId() }, { $set: back })
    expect(await violations()).toEqual([])
  })

  it('a coupon sold beyond its limits, in all and to one buyer', async () => {
    const { api } = await anAdmin(lms)
    const code = `SPOILED-${(spoiled += 1)}`
    const limits = { maxTotal: 2, maxPerUser: 1 }
    await api.coupons.create.mutate({ code, kind: 'PERCENT', value: 10, ...limits })
    const [first, second] = [
      await aSale(lms, { couponCode: code }),
      await aSale(lms, { couponCode: code }),
    ]
    expect(await violationsOf(code)).toEqual([])
    await api.coupons.update.mutate({ code, maxTotal: 1 })
    expect(await violationsOf(code)).toEqual([])
    const use = { orderId: second.order.id }
    await rows('coupon_uses').updateOne(use, { $set: { maxTotal: 1 } })
    expect(await violationsOf(code)).toEqual(['is use 2 of 1'])
    const userId = new ObjectId(first.buyer.user.id)
    await rows('coupon_uses').updateOne(use, { $set: { maxTotal: 2, userId } })
    expect(await violationsOf(code)).toEqual(['is use 2 of 1 by one buyer'])
    // Whoever paid late is no exception.
    await rows('coupon_uses').updateOne(use, { $set: { late: true } })
    expect(await violationsOf(code)).toEqual(['is use 2 of 1 by one buyer'])
    await rows('coupon_uses').deleteOne({ orderId: first.order.id })
    expect(await violationsOf(code)).toEqual(['has 1 uses on 2 places'])
    await rows('coupon_uses').deleteOne(use)
  })
})
