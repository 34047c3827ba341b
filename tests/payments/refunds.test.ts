import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { anOrder, aSale, pay, aSaleOfTwo, lineOf } from '../support/builders/orders.ts'
import { anAdmin, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { deliverWebhooks, expectSound, isIn, ledgerOf } from '../support/order-checks.ts'

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

describe('a refund by an administrator', () => {
  it('of the whole order gives everything back and ends access', async () => {
    const sale = await aSaleOfTwo(lms)
    const refund = await create({ orderId: sale.order.id, reason: 'not what was promised' })
    expect(refund).toMatchObject({ amountPaise: 50_000, status: 'PROCESSED', cause: 'admin' })
    await deliverWebhooks(lms)
    for (const courseId of sale.courseIds) expect(await isIn(sale.buyer, courseId)).toBe(false)
    const order = await sale.buyer.api.orders.get.query({ orderId: sale.order.id })
    expect(order).toMatchObject({ status: 'FULFILLED', refundedPaise: 50_000 })
    expect(order.refunds).toHaveLength(1)
    await expectSound(lms)
  })

  it('of a line, named by its number or its course, ends that line alone', async () => {
    const sale = await aSaleOfTwo(lms)
    const line = lineOf(sale, 20_000)
    await create({ orderId: sale.order.id, lines: [line.courseId] })
    expect(await isIn(sale.buyer, line.courseId)).toBe(false)
    expect(await isIn(sale.buyer, lineOf(sale, 30_000).courseId)).toBe(true)
    expect(ledgerOf(lms, sale.paymentId)?.refunded).toBe(20_000)
    await create({ orderId: sale.order.id, lines: [lineOf(sale, 30_000).no] })
    expect(ledgerOf(lms, sale.paymentId)?.refunded).toBe(50_000)
    await deliverWebhooks(lms)
    await expectSound(lms)
  })

  it('of an amount leaves access as it is, until all is given back', async () => {
    const sale = await aSale(lms, { pricePaise: 10_000 })
    const courseId = sale.courseIds[0] ?? ''
    await create({ orderId: sale.order.id, amountPaise: 4_000 })
    expect(await isIn(sale.buyer, courseId)).toBe(true)
    await create({ orderId: sale.order.id, amountPaise: 6_000 })
    expect(await isIn(sale.buyer, courseId)).toBe(false)
    await deliverWebhooks(lms)
    await expectSound(lms)
  })

  it('sent again with its key is the same refund', async () => {
    const sale = await aSale(lms)
    const input = { orderId: sale.order.id, amountPaise: 5_000, idempotencyKey: 'first-attempt' }
    const [one, two] = [await create(input), await create(input)]
    expect(two.id).toBe(one.id)
    expect(ledgerOf(lms, sale.paymentId)?.refunded).toBe(5_000)
    await refused(create({ ...input, amountPaise: 6_000 }), 'KEY_REUSED')
    const { idempotencyKey: key, ...rest } = input
    expect((await create({ ...rest, key })).id).toBe(one.id)
    expect((await create({ ...rest, key: `${key}-more` })).id).not.toBe(one.id)
  })

  it('under a key that stood for something else is refused', async () => {
    const sale = await aSaleOfTwo(lms)
    const { courseId, no } = lineOf(sale, 20_000)
    const order = { orderId: sale.order.id }
    const asked = { ...order, amountPaise: 1_000, key: 'of-a-thousand' }
    const one = await create(asked)
    for (const other of [{}, { lines: [no] }, { paymentId: sale.paymentId }])
      await refused(create({ ...order, key: 'of-a-thousand', ...other }), 'KEY_REUSED')
    expect((await create({ ...asked, paymentId: sale.paymentId })).id).toBe(one.id)
    const line = await create({ ...order, lines: [no], key: 'of-a-line' })
    expect((await create({ ...order, lines: [courseId], key: 'of-a-line' })).id).toBe(line.id)
    const twin = pay(lms, sale, { force: true }).razorpay_payment_id
    await deliverWebhooks(lms)
    const elsewhere = create({ ...asked, paymentId: twin })
    await refused(elsewhere, 'KEY_REUSED')
    await deliverWebhooks(lms)
    await expectSound(lms)
  })

  it('tells the buyer once', async () => {
    const sale = await aSale(lms)
    const refund = await create({ orderId: sale.order.id })
    await deliverWebhooks(lms)
    const mails = await lms.db.orm.outbox_mails.where({ key: `refund:${refund.id}` }).all()
    expect(mails).toHaveLength(1)
  })

  it('leaves the door open to buy the course again', async () => {
    const sale = await aSale(lms)
    await create({ orderId: sale.order.id })
    const again = await aSale(lms, { buyer: sale.buyer, courseIds: sale.courseIds })
    expect(again.order.id).not.toBe(sale.order.id)
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(true)
    await deliverWebhooks(lms)
    await expectSound(lms)
  })
})

describe('a refund is refused', () => {
  it('to whoever did not prove the password lately', async () => {
    const sale = await aSale(lms)
    const late = await anAdmin(lms)
    lms.clock.advance(11 * 60)
    await refused(late.api.refunds.create.mutate({ orderId: sale.order.id }), 'PASSWORD_NEEDED')
    await late.api.auth.confirmPassword.mutate({ password: late.password })
    await late.api.refunds.create.mutate({ orderId: sale.order.id })
    await deliverWebhooks(lms)
  })

  it('to students', async () => {
    const { buyer, order } = await aSale(lms)
    await refused(buyer.api.refunds.create.mutate({ orderId: order.id }), 'FORBIDDEN')
  })

  it('above what is left, twice for a line, and for an order nobody paid', async () => {
    const sale = await aSaleOfTwo(lms)
    const { no } = lineOf(sale, 20_000)
    await refused(create({ orderId: sale.order.id, amountPaise: 50_001 }), 'REFUND_TOO_LARGE')
    await create({ orderId: sale.order.id, lines: [no] })
    await refused(
      create({ orderId: sale.order.id, lines: [no], idempotencyKey: 'another-one' }),
      'REFUND_TOO_LARGE',
    )
    await refused(create({ orderId: sale.order.id, lines: [9] }), 'NOT_FOUND')
    await create({ orderId: sale.order.id })
    await refused(
      create({ orderId: sale.order.id, idempotencyKey: 'once-more-please' }),
      'NOTHING_TO_REFUND',
    )
    const open = await anOrder(lms)
    await refused(create({ orderId: open.order.id }), 'NOTHING_TO_REFUND')
  })

  it('with anything it does not know, which may have been an amount', async () => {
    const sale = await aSale(lms)
    for (const other of [{ amount: 100 }, { line: 1 }, { Lines: [1] }, { amountPaisa: 100 }]) {
      const input = { orderId: sale.order.id, ...other }
      await refused(create(input), 'INVALID_INPUT')
    }
    expect(ledgerOf(lms, sale.paymentId)?.refunded).toBe(0)
  })

  it('with both lines and an amount', async () => {
    const { order } = await aSale(lms)
    const call = create({ orderId: order.id, lines: [1], amountPaise: 100 })
    expect(await refused(call, 'INVALID_INPUT')).toHaveLength(1)
  })
})
