// What a buyer and an administrator do, on a gateway that is as unlike Razorpay as can be: the port has to
// carry all of it.
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { anAdmin, aStudent, type Person } from '../../support/builders/people.ts'
import { aCourseId, anOrder } from '../../support/builders/orders.ts'
import { grantCount, isIn, statusOf } from '../../support/order-checks.ts'
import { refused } from '../../support/client.ts'
import {
  aSale,
  expectSoundBooks,
  later,
  payUnheard,
  settle,
  startMemoryLms,
  verify,
  type MemoryLms,
} from '../../support/memory-gateway/lms.ts'

let lms: MemoryLms
let admin: Person
beforeAll(async () => {
  lms = await startMemoryLms()
  admin = await anAdmin(lms)
})
afterEach(async () => {
  await settle(lms)
  await expectSoundBooks(lms)
})

const mailsOf = async (orderId: string) => {
  const mails = await lms.db.orm.outbox_mails.where({}).all()
  return mails.map(({ key }) => key).filter((key) => key.includes(orderId))
}

describe('a buyer', () => {
  it('is handed what opens the dialog, whose it is, and the secret of this order', async () => {
    const buyer = await aStudent(lms)
    const courseIds = [await aCourseId(lms)]
    const { order, checkout } = await buyer.api.orders.create.mutate({ courseIds })
    const intent = lms.bank.state.intents.get(checkout?.order_id ?? '')
    expect(intent).toMatchObject({ ref: order.id, paise: 49_900, unit: 'inr' })
    expect(checkout).toMatchObject({
      gateway: 'memory',
      amount: 49_900,
      currency: 'INR',
      secret: intent?.token,
      prefill: { name: buyer.user.name, email: buyer.user.email },
    })
    const again = await buyer.api.orders.create.mutate({ courseIds })
    expect(again.checkout).toEqual(checkout)
    expect(await statusOf(lms, { order })).toBe('CREATED')
  })

  it('pays, says so without any proof, and is in the course, with receipt and invoice', async () => {
    const opened = await anOrder(lms)
    const paymentId = await payUnheard(lms, opened)
    expect((await verify(opened)).status).toBe('FULFILLED')
    expect(await grantCount(lms, opened.buyer, opened.courseIds[0] ?? '')).toBe(1)
    const { order, buyer } = opened
    expect(await mailsOf(order.id)).toEqual([`receipt:${order.id}`, `enrolled:${order.id}:1`])
    const page = await (await buyer.fetch(`/receipts/${order.id}`)).text()
    expect(page).toContain(paymentId)
    const { timeline } = await buyer.api.orders.get.query({ orderId: order.id })
    expect(timeline.map(({ event }) => event)).toEqual([
      'created',
      'payment authorized',
      'payment captured',
      'paid',
      'fulfilled',
    ])
  })

  it('who says so and has not paid, or only tried, opens nothing', async () => {
    const opened = await anOrder(lms)
    expect((await verify(opened)).status).toBe('CREATED')
    await payUnheard(lms, opened, { outcome: 'declined' })
    expect((await verify(opened)).status).toBe('CREATED')
    const { orderId, ...made } = {
      orderId: opened.order.id,
      payment: 'mp_1',
      proof: 'x'.repeat(300),
    }
    const order = await opened.buyer.api.orders.verify.mutate({ orderId, ...made })
    expect(order.status).toBe('CREATED')
    const thief = await aStudent(lms)
    await refused(thief.api.orders.verify.mutate({ orderId }), 'NOT_FOUND')
  })

  it('makes us ask the gateway no more once the order is fulfilled', async () => {
    const sale = await aSale(lms)
    const asked = lms.bank.api.seen.length
    for (let time = 0; time < 3; time += 1) expect((await verify(sale)).status).toBe('FULFILLED')
    expect(lms.bank.api.seen).toHaveLength(asked)
  })

  it('who closes the browser is let in by the webhook, which asks for the money itself', async () => {
    const opened = await anOrder(lms)
    const { id } = lms.bank.pay(opened.order_id)
    await settle(lms)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    expect(lms.bank.state.charges.get(id)?.state).toBe('taken')
    const events = await lms.db.orm.webhook_events.where({ gateway: 'memory' }).all()
    const [event] = events.filter(({ body }) => body.includes(id))
    expect(JSON.parse(event?.body ?? '')).toMatchObject({ event_id: event?.eventId })
  })

  it('is let in by the sweep where nobody told us anything', async () => {
    const opened = await anOrder(lms)
    await payUnheard(lms, opened)
    await later(lms, 61)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('pays with a coupon as little as this gateway takes, and less than that not', async () => {
    const terms = { kind: 'FIXED', maxTotal: 5, maxPerUser: null } as const
    await admin.api.coupons.create.mutate({ ...terms, code: 'DOWNTO50', value: 9_950 })
    await admin.api.coupons.create.mutate({ ...terms, code: 'DOWNTO49', value: 9_951 })
    const courseIds = [await aCourseId(lms, 10_000)]
    const buyer = await aStudent(lms)
    const under = buyer.api.orders.create.mutate({ courseIds, couponCode: 'DOWNTO49' })
    await refused(under, 'AMOUNT_TOO_SMALL')
    const sale = await aSale(lms, { buyer, courseIds, couponCode: 'DOWNTO50' })
    expect(sale.order.amountPaise).toBe(50)
  })

  it('gets what costs nothing at once, without the gateway', async () => {
    const asked = lms.bank.api.seen.length
    const buyer = await aStudent(lms)
    const courseIds = [await aCourseId(lms, 0)]
    const { order, checkout } = await buyer.api.orders.create.mutate({ courseIds })
    expect([order.status, checkout]).toEqual(['FULFILLED', null])
    expect(lms.bank.api.seen).toHaveLength(asked)
  })

  it('pays in another currency only where this gateway takes it', async () => {
    const courseId = await aCourseId(lms)
    await lms.db.orm.courses.where({ _id: courseId }).update({ currency: 'USD' })
    const { api } = await aStudent(lms)
    await refused(api.orders.create.mutate({ courseIds: [courseId] }), 'INVALID_INPUT')
    await lms.db.orm.courses.where({ _id: courseId }).update({ currency: 'EUR' })
    const sale = await aSale(lms, { courseIds: [courseId] })
    expect(lms.bank.state.intents.get(sale.order_id)).toMatchObject({ unit: 'eur' })
  })
})

describe('a refund', () => {
  it('by an administrator is on its way until the bank has sent it, and ends access at once', async () => {
    const sale = await aSale(lms)
    const refund = await admin.api.refunds.create.mutate({ orderId: sale.order.id })
    expect(refund).toMatchObject({ status: 'PENDING', amountPaise: 49_900 })
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(false)
    lms.bank.sendReturns()
    await settle(lms)
    const { items } = await admin.api.refunds.list.query({ orderId: sale.order.id })
    expect(items).toMatchObject([{ id: refund.id, status: 'PROCESSED' }])
    expect(await mailsOf(refund.id)).toEqual([`refund:${refund.id}`])
  })

  it('of one paisa is given, as this gateway allows', async () => {
    const sale = await aSale(lms)
    const { status } = await admin.api.refunds.create.mutate({
      orderId: sale.order.id,
      amountPaise: 1,
    })
    expect(status).toBe('PENDING')
    lms.bank.sendReturns()
    await settle(lms)
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(true)
  })

  it('is asked for by the buyer, for one of two courses', async () => {
    const courseIds = [await aCourseId(lms, 30_000), await aCourseId(lms, 20_000)]
    const sale = await aSale(lms, { courseIds })
    const [given = '', kept = ''] = courseIds
    const own = { orderId: sale.order.id, courseId: given }
    const refund = await sale.buyer.api.orders.requestRefund.mutate(own)
    expect(refund).toMatchObject({ amountPaise: 30_000, cause: 'student' })
    lms.bank.sendReturns()
    await settle(lms)
    expect([await isIn(sale.buyer, given), await isIn(sale.buyer, kept)]).toEqual([false, true])
  })

  it('made in the dashboard is adopted by its event, which names its payment only', async () => {
    const sale = await aSale(lms)
    lms.bank.giveBack(sale.paymentId)
    lms.bank.sendReturns()
    await settle(lms)
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(false)
    const { refunds } = await sale.buyer.api.orders.get.query({ orderId: sale.order.id })
    expect(refunds).toMatchObject([{ cause: 'dashboard', status: 'PROCESSED' }])
  })

  it('that bounces at the bank gives the course back, and is shown to administrators', async () => {
    const sale = await aSale(lms)
    const refund = await admin.api.refunds.create.mutate({ orderId: sale.order.id })
    const [row] = [...lms.bank.state.returns.values()].slice(-1)
    lms.bank.settleReturn(row?.id ?? '', 'bounced')
    await settle(lms)
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(true)
    const stuck = await admin.api.orders.stuck.query()
    expect(stuck.refunds.map(({ id }) => id)).toContain(refund.id)
  })

  it('is polled to its end where no event of it comes', async () => {
    const sale = await aSale(lms)
    await lms.bank.with({ drop: 'all' }, async () => {
      await admin.api.refunds.create.mutate({ orderId: sale.order.id })
      lms.bank.sendReturns()
    })
    await later(lms, 11 * 60)
    const { items } = await admin.api.refunds.list.query({ orderId: sale.order.id })
    expect(items).toMatchObject([{ status: 'PROCESSED' }])
    admin = await anAdmin(lms)
  })
})

describe('a dispute', () => {
  it.each([
    ['rejected', true],
    ['dropped', true],
    ['upheld', false],
  ] as const)('that is %s leaves the course open: %s', async (state, isOpen) => {
    const sale = await aSale(lms)
    const courseId = sale.courseIds[0] ?? ''
    const { id } = lms.bank.fileClaim(sale.paymentId)
    lms.bank.moveClaim(id, 'examined')
    await settle(lms)
    const orderId = sale.order.id
    expect(await sale.buyer.api.orders.get.query({ orderId })).toMatchObject({ isDisputed: true })
    await refused(admin.api.refunds.create.mutate({ orderId }), 'REFUND_DISPUTED')
    expect(await isIn(sale.buyer, courseId)).toBe(true)
    lms.bank.moveClaim(id, state)
    await settle(lms)
    expect(await isIn(sale.buyer, courseId)).toBe(isOpen)
  })
})

describe('an administrator', () => {
  it('redrives an order that nobody told us of', async () => {
    const opened = await anOrder(lms)
    await payUnheard(lms, opened)
    const order = await admin.api.orders.redrive.mutate({ orderId: opened.order.id })
    expect(order.status).toBe('FULFILLED')
  })

  it('sees money that fits no order, and gives it back by its id', async () => {
    const opened = await anOrder(lms)
    const paymentId = await payUnheard(lms, opened, { paise: 49_800 })
    await lms.bank.with({ drop: 'all' }, () => {
      lms.bank.take(paymentId)
    })
    await later(lms, 61)
    admin = await anAdmin(lms)
    const stuck = await admin.api.orders.stuck.query()
    expect(stuck.items.map(({ id }) => id)).toContain(opened.order.id)
    expect(stuck.payments.map((payment) => payment.paymentId)).toContain(paymentId)
    const orderId = opened.order.id
    await admin.api.refunds.create.mutate({ orderId, paymentId })
    lms.bank.sendReturns()
    await settle(lms)
    expect(await statusOf(lms, opened)).toBe('EXPIRED')
  })
})
