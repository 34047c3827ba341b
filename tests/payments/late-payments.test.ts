import { beforeAll, describe, expect, it } from 'vitest'
import { settlePayment } from '../../src/payments/settlement/settle-payment.ts'
import { aPublishedCourse } from '../support/builders/courses.ts'
import { anOrder, aSale, pay, type Opened } from '../support/builders/orders.ts'
import { anAdmin, aStudent, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import {
  deliverWebhooks,
  expectSound,
  grantCount,
  isIn,
  ledgerOf,
  statusOf,
} from '../support/order-checks.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
  lms.razorpay.webhooks.drop = 'all'
})

const MINUTE = 60
let made = 0

async function aCoupon(terms: { maxTotal?: number | null; maxPerUser?: number | null } = {}) {
  const code = `LATE-${(made += 1)}`
  const { api } = await anAdmin(lms)
  await api.coupons.create.mutate({ code, kind: 'PERCENT', value: 90, ...terms })
  return code
}

type Late = Opened & { owner: Person; couponCode: string }

/** An order with a coupon, on a course whose author is at hand. */
async function anOrderWithCoupon(): Promise<Late> {
  const couponCode = await aCoupon({ maxTotal: 5 })
  const { course, owner } = await aPublishedCourse(lms, { pricePaise: 50_000 })
  return { ...(await anOrder(lms, { courseIds: [course.id], couponCode })), owner, couponCode }
}

const raise = ({ courseIds }: Opened, pricePaise = 60_000) =>
  lms.db.orm.courses.where({ _id: courseIds[0] ?? '' }).update({ pricePaise })

const change = (couponCode: string, set: Record<string, unknown>) =>
  lms.db.driver.collection('coupons').updateOne({ code: couponCode }, { $set: set })

/** So long after the order's time, with the jobs at work. */
async function after({ order }: Opened, minutes: number): Promise<void> {
  const left = (order.expiresAt.getTime() - lms.clock.now().getTime()) / 1_000
  lms.clock.advance(left + 1)
  await lms.work()
  lms.clock.advance(minutes * MINUTE)
  await lms.work()
  await signIn(lms)
}

/** Days go by here. */
async function signIn({ db, clock }: Lms): Promise<void> {
  const later = new Date(clock.now().getTime() + 10 * 86_400_000)
  const lastUsedAt = clock.now()
  await db.driver.collection('sessions').updateMany(
    {},
    {
      $set: {
        createdAt: lastUsedAt,
        lastUsedAt,
        passwordAt: lastUsedAt,
        expiresAt: later,
        absoluteExpiresAt: later,
      },
    },
  )
}

const verify = (opened: Opened, paid = pay(lms, opened)) =>
  opened.buyer.api.orders.verify.mutate(paid)

const mailsTo = async ({ buyer }: Opened) =>
  (await lms.db.orm.outbox_mails.where({ to: buyer.user.email }).all()).filter(
    ({ template }) => template === 'late-payment',
  )

async function expectGivenBack(opened: Opened, paymentId: string): Promise<void> {
  expect(await statusOf(lms, opened)).toBe('EXPIRED')
  expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(false)
  expect(ledgerOf(lms, paymentId)).toMatchObject({ refunded: opened.order.amountPaise })
  expect(await mailsTo(opened)).toHaveLength(1)
  await expectSound(lms)
}

describe('a payment within the grace', () => {
  it('is taken, whatever became of price and coupon', async () => {
    const late = await anOrderWithCoupon()
    await after(late, 5)
    expect(await statusOf(lms, late)).toBe('EXPIRED')
    await raise(late)
    await change(late.couponCode, { active: false })
    expect((await verify(late)).status).toBe('FULFILLED')
    const { timeline } = await late.buyer.api.orders.get.query({ orderId: late.order.id })
    expect(timeline.find(({ event }) => event === 'paid')?.detail).toContain('within the grace')
    await expectSound(lms)
  })

  it('finds its coupon still held, though it was the last', async () => {
    const couponCode = await aCoupon({ maxTotal: 1 })
    const late = await anOrder(lms, { couponCode })
    await after(late, 5)
    await refused(anOrder(lms, { couponCode }), 'COUPON_USED_UP')
    expect((await verify(late)).status).toBe('FULFILLED')
    await expectSound(lms)
  })
})

describe('a payment after the grace', () => {
  it('is taken while the order could be opened again on the same terms', async () => {
    const late = await anOrderWithCoupon()
    await after(late, 3 * 60)
    expect((await verify(late)).status).toBe('FULFILLED')
    const use = await lms.db.orm.coupon_uses.where({ orderId: late.order.id }).first()
    expect(use).toMatchObject({ state: 'USED', late: true, place: 1 })
    await expectSound(lms)
  })

  it('is taken where the course has become cheaper', async () => {
    const late = await anOrder(lms)
    await after(late, 60)
    await raise(late, 100)
    expect((await verify(late)).status).toBe('FULFILLED')
  })

  it.each<[string, string, (late: Late) => Promise<unknown>]>([
    ['the price has gone up', 'the price has gone up', (late) => raise(late)],
    [
      'the coupon is off',
      'coupon is not valid',
      ({ couponCode }) => change(couponCode, { active: false }),
    ],
    [
      'the coupon has ended',
      'coupon is not valid',
      ({ couponCode }) => change(couponCode, { endsAt: lms.clock.now() }),
    ],
    [
      'the coupon is for other courses',
      'coupon is not valid',
      ({ couponCode }) => change(couponCode, { courseIds: ['0'.repeat(24)] }),
    ],
    [
      'the coupon is used up',
      'coupon is used up',
      ({ couponCode }) => change(couponCode, { maxTotal: 0 }),
    ],
    [
      'the course is taken off the shelf',
      'not on sale',
      async ({ owner, courseIds }) => {
        await signIn(lms)
        await owner.api.courses.unpublish.mutate({ id: courseIds[0] ?? '' })
      },
    ],
  ])('goes back at once with a word why, when %s', async (_what, word, become) => {
    const late = await anOrderWithCoupon()
    await after(late, 60)
    await become(late)
    const paid = pay(lms, late)
    expect((await verify(late, paid)).status).toBe('EXPIRED')
    await lms.work()
    await expectGivenBack(late, paid.razorpay_payment_id)
    const shown = await late.buyer.api.orders.get.query({ orderId: late.order.id })
    expect(shown.refunds).toMatchObject([{ cause: 'late', status: 'PROCESSED' }])
    expect(shown.refunds[0]?.reason).toContain(word)
    expect(shown.timeline.find(({ event }) => event === 'late payment refused')?.detail).toContain(
      word,
    )
    const mail = lms.smtp
      .mails()
      .find(({ to, subject }) => to.includes(late.buyer.user.email) && subject.includes('too late'))
    expect(mail?.text).toContain(word)
    expect(mail?.text).toContain('₹50')
  })

  it('goes back where no webhook and no browser told, and its order was set aside before', async () => {
    const late = await anOrderWithCoupon()
    await after(late, 60)
    await change(late.couponCode, { active: false })
    pay(lms, late, { amount: 200 })
    lms.clock.advance(3 * 3_600)
    await lms.work()
    expect(await statusOf(lms, late)).toBe('REVIEW')
    const { razorpay_payment_id: right } = pay(lms, late, { force: true })
    lms.clock.advance(7 * 3_600)
    await lms.work()
    expect(await statusOf(lms, late)).toBe('REVIEW')
    expect(ledgerOf(lms, right)).toMatchObject({ refunded: late.order.amountPaise })
    await expectSound(lms)
  })

  it('is taken all the same where an administrator accepts it, beyond the limits of its coupon', async () => {
    const couponCode = await aCoupon({ maxTotal: 1, maxPerUser: null })
    const late = await anOrder(lms, { couponCode })
    await after(late, 60)
    await aSale(lms, { couponCode })
    const { razorpay_payment_id: id } = pay(lms, late, { amount: late.order.amountPaise + 500 })
    lms.clock.advance(3 * 3_600)
    await lms.work()
    expect(await statusOf(lms, late)).toBe('REVIEW')
    const { api } = await anAdmin(lms)
    const orderId = late.order.id
    const reason = 'the buyer wrote to us'
    await api.orders.acceptReview.mutate({ orderId, paymentId: id, reason })
    expect(await statusOf(lms, late)).toBe('FULFILLED')
    const stored = await lms.db.orm.orders.where({ _id: orderId }).first()
    expect(stored?.lateReason).toBe('accepted by an administrator')
    const use = await lms.db.orm.coupon_uses.where({ orderId }).first()
    expect(use).toMatchObject({ state: 'USED', maxTotal: null })
    await expectSound(lms)
  })

  it('only authorized, is taken by the gateway itself and goes back', async () => {
    const late = await anOrder(lms)
    await after(late, 60)
    await raise(late)
    const { razorpay_payment_id: id } = pay(lms, late, { outcome: 'authorized' })
    lms.clock.advance(3 * 3_600)
    for (let run = 0; run < 3; run += 1) {
      await lms.work()
      lms.clock.advance(61)
    }
    await signIn(lms)
    await expectGivenBack(late, id)
  })

  it('that cannot be given back is shown to administrators', async () => {
    const late = await anOrder(lms)
    await after(late, 60)
    await raise(late)
    const paid = pay(lms, late)
    await lms.razorpay.with({ refunds: 'failed' }, async () => {
      await verify(late, paid)
      lms.clock.advance(11 * MINUTE)
      await lms.work()
    })
    const { api } = await anAdmin(lms)
    const { payments } = await api.orders.stuck.query()
    expect(payments.map(({ paymentId }) => paymentId)).toContain(paid.razorpay_payment_id)
    await expectSound(lms)
  })
})

describe('the time of a payment', () => {
  it('is the gateway’s: paid in time and heard of a day later, it is taken', async () => {
    const late = await anOrderWithCoupon()
    lms.clock.advance(10 * MINUTE)
    await lms.razorpay.with(
      { faults: [{ route: '*', kind: 'error', times: 10_000 }] },
      async () => {
        pay(lms, late)
        lms.clock.advance(86_400)
        await lms.work()
      },
    )
    await raise(late)
    await change(late.couponCode, { active: false })
    lms.clock.advance(7 * 3_600)
    await lms.work()
    expect(await statusOf(lms, late)).toBe('FULFILLED')
    await signIn(lms)
    await expectSound(lms)
  })

  it('is when its bank changed its mind, where it had failed', async () => {
    const late = await anOrder(lms)
    const { razorpay_payment_id: id } = pay(lms, late, { outcome: 'late' })
    await after(late, 60)
    await raise(late)
    lms.razorpay.authorizeLate(id)
    lms.clock.advance(3 * 3_600)
    for (let run = 0; run < 3; run += 1) {
      await lms.work()
      lms.clock.advance(61)
    }
    await signIn(lms)
    await expectGivenBack(late, id)
  })
})

describe('a coupon with one use', () => {
  it('is used once, however many orders let its time go by and are paid after', async () => {
    const couponCode = await aCoupon({ maxTotal: 1, maxPerUser: null })
    const buyer = await aStudent(lms)
    const orders: Opened[] = []
    for (let time = 0; time < 4; time += 1) {
      const opened = await anOrder(lms, { buyer, couponCode })
      orders.push(opened)
      await after(opened, 20)
    }
    const statuses: string[] = []
    for (const opened of orders) statuses.push((await verify(opened)).status)
    expect(statuses.toSorted()).toEqual(['EXPIRED', 'EXPIRED', 'EXPIRED', 'FULFILLED'])
    await lms.work()
    expect(
      await lms.db.driver
        .collection('coupon_uses')
        .countDocuments({ code: couponCode, state: 'USED' }),
    ).toBe(1)
    await expectSound(lms)
  })

  it('paid late by six at once on two servers, is used once', async () => {
    const couponCode = await aCoupon({ maxTotal: 1, maxPerUser: null })
    const { deps } = await lms.another()
    const orders: Opened[] = []
    for (let time = 0; time < 6; time += 1) {
      const opened = await anOrder(lms, { couponCode })
      orders.push(opened)
      await after(opened, 20)
    }
    const { forNewOrders } = lms.deps.gateways
    const payments = await Promise.all(
      orders.map((opened) => forNewOrders.fetchPayment(pay(lms, opened).razorpay_payment_id)),
    )
    const outcomes = await Promise.all(
      payments.map((payment, at) =>
        settlePayment(at % 2 === 0 ? lms.deps : deps, payment, { source: 'verify' }),
      ),
    )
    expect(outcomes.filter((outcome) => outcome === 'fulfilled')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'refunded')).toHaveLength(5)
    await lms.work()
    await expectSound(lms)
  })
})

describe('late payments at the same moment', () => {
  it('of one order leave one', async () => {
    const late = await anOrder(lms)
    await after(late, 60)
    pay(lms, late, { outcome: 'double' })
    lms.clock.advance(7 * 3_600)
    await lms.work()
    expect(await statusOf(lms, late)).toBe('FULFILLED')
    expect(await grantCount(lms, late.buyer, late.courseIds[0] ?? '')).toBe(1)
    const ledger = lms.razorpay.ledger().orders.find(({ id }) => id === late.order_id)
    expect(ledger).toMatchObject({ captured: 99_800, refunded: 49_900 })
    await signIn(lms)
    await expectSound(lms)
  })

  it('told of by twenty while the price goes up and down are taken or given back, never both', async () => {
    const { deps } = await lms.another()
    for (let round = 0; round < 4; round += 1) {
      const late = await anOrder(lms)
      await after(late, 60)
      const { razorpay_payment_id: id } = pay(lms, late)
      const payment = await lms.deps.gateways.forNewOrders.fetchPayment(id)
      const told = Promise.all(
        Array.from({ length: 20 }, (_, at) =>
          settlePayment(at % 2 === 0 ? lms.deps : deps, payment, { source: 'webhook' }),
        ),
      )
      for (let turn = 0; turn < 10; turn += 1) await raise(late, turn % 2 === 0 ? 60_000 : 49_900)
      const outcomes = await told
      expect(new Set(outcomes).size).toBe(1)
      const isTaken = outcomes[0] === 'fulfilled'
      expect(await isIn(late.buyer, late.courseIds[0] ?? '')).toBe(isTaken)
      expect(ledgerOf(lms, id)?.refunded).toBe(isTaken ? 0 : 49_900)
      expect(await mailsTo(late)).toHaveLength(isTaken ? 0 : 1)
    }
    await expectSound(lms)
  })
})

describe('until when an order may be paid', () => {
  it('is told by the order, and to the dialog in seconds', async () => {
    const { api } = await aStudent(lms)
    const { course } = await aPublishedCourse(lms)
    const cart = { courseIds: [course.id] }
    const { order, checkout } = await api.orders.create.mutate(cart)
    const seconds = (order.expiresAt.getTime() - lms.clock.now().getTime()) / 1_000
    expect(checkout?.timeout).toBeGreaterThan(seconds - 30)
    expect(checkout?.timeout).toBeLessThanOrEqual(Math.ceil(seconds) + 1)
    lms.clock.advance(seconds - 20)
    const again = await api.orders.create.mutate(cart)
    expect(again.order.id).toBe(order.id)
    // Nobody can pay in twenty seconds; there is the grace.
    expect(again.checkout?.timeout).toBe(300)
  })

  it('is sooner where a coupon is held', async () => {
    const plain = await anOrder(lms)
    const held = await anOrder(lms, { couponCode: await aCoupon({ maxTotal: 5 }) })
    const life = ({ order }: Opened) => order.expiresAt.getTime() - order.createdAt.getTime()
    expect(life(held)).toBeLessThanOrEqual(20 * 60_000)
    expect(life(plain)).toBe(60 * 60_000)
  })
})

describe('without a grace', () => {
  it('a minute is too late where the price has gone up', async () => {
    const strict = await startLms({ env: { LATE_PAYMENT_GRACE_MINUTES: '0' } })
    strict.razorpay.webhooks.drop = 'all'
    const opened = await anOrder(strict)
    strict.clock.advance(61 * MINUTE)
    await strict.work()
    await strict.db.orm.courses
      .where({ _id: opened.courseIds[0] ?? '' })
      .update({ pricePaise: 90_000 })
    expect((await opened.buyer.api.orders.verify.mutate(pay(strict, opened))).status).toBe(
      'EXPIRED',
    )
    await expectSound(strict)
  })
})

describe('a sale', () => {
  it('in time says nothing of being late', async () => {
    const sale = await aSale(lms)
    await deliverWebhooks(lms)
    const stored = await lms.db.orm.orders.where({ _id: sale.order.id }).first()
    expect([stored?.lateReason, stored?.refusedPayments]).toEqual([null, {}])
  })
})
