import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { anOrder, aSale, pay, aSaleOfTwo, lineOf, type Sale } from '../support/builders/orders.ts'
import { anAdmin, type Person } from '../support/builders/people.ts'
import { refused, reasonOf } from '../support/client.ts'
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

  it('under one key and for three amounts at once is one refund', async () => {
    const sale = await aSale(lms, { pricePaise: 10_000 })
    const outcomes = await Promise.allSettled(
      [1_000, 2_000, 3_000].map((amountPaise) =>
        create({ orderId: sale.order.id, amountPaise, key: 'one-of-three' }),
      ),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(ledgerOf(lms, sale.paymentId)?.refunds).toHaveLength(1)
    await deliverWebhooks(lms)
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

const ONE_OF_FOUR = ['REFUND_TOO_LARGE', 'REFUND_TOO_LARGE', 'REFUND_TOO_LARGE', 'made']

/** Everybody asks at once, each under a key of their own; what each is told. */
function atOnce(everybody: Person[], asked: Parameters<typeof create>[0]): Promise<string[]> {
  const ask = async ({ api }: Person, at: number): Promise<string> => {
    const call = api.refunds.create.mutate({ ...asked, idempotencyKey: `at-the-same-time-${at}` })
    return call.then(() => 'made', reasonOf)
  }
  return Promise.all(everybody.map(ask))
}

/** How often Razorpay was asked for a refund of this sale. */
const askedFor = ({ paymentId }: Sale) =>
  lms.razorpay.requests().filter(({ path }) => path === `/payments/${paymentId}/refund`).length

describe('refunds at the same moment', () => {
  it('of two administrators never give back more than was paid', async () => {
    const other = await anAdmin(lms)
    for (let round = 0; round < 5; round += 1) {
      const sale = await aSale(lms, { pricePaise: 10_000 })
      const asked = { orderId: sale.order.id, amountPaise: 6_000 }
      expect((await atOnce([admin, other, admin, other], asked)).sort()).toEqual(ONE_OF_FOUR)
      expect(ledgerOf(lms, sale.paymentId)?.refunded).toBe(6_000)
      // Razorpay would have refused the others too: it was never asked.
      expect(askedFor(sale)).toBe(1)
    }
    await deliverWebhooks(lms)
    await expectSound(lms)
  })

  it('of two administrators give a line back once', async () => {
    const other = await anAdmin(lms)
    for (let round = 0; round < 5; round += 1) {
      const sale = await aSaleOfTwo(lms)
      const asked = { orderId: sale.order.id, lines: [lineOf(sale, 20_000).no] }
      expect((await atOnce([admin, other, admin, other], asked)).sort()).toEqual(ONE_OF_FOUR)
      expect(ledgerOf(lms, sale.paymentId)?.refunded).toBe(20_000)
    }
    await deliverWebhooks(lms)
    await expectSound(lms)
  })

  it('under one key are one refund', async () => {
    const sale = await aSale(lms, { pricePaise: 10_000 })
    const refunds = await Promise.all(
      Array.from({ length: 6 }, () =>
        create({ orderId: sale.order.id, amountPaise: 2_000, idempotencyKey: 'one-intent' }),
      ),
    )
    expect(new Set(refunds.map(({ id }) => id)).size).toBe(1)
    await deliverWebhooks(lms)
    expect(ledgerOf(lms, sale.paymentId)?.refunds).toHaveLength(1)
    await expectSound(lms)
  })
})

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
