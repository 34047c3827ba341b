import { beforeAll, describe, expect, it } from 'vitest'
import { reconcile } from '../../src/payments/reconciliation/reconciler.ts'
import { aCourseId, anOrder, aSale, pay } from '../support/builders/orders.ts'
import { anAdmin, aStudent, type Person } from '../support/builders/people.ts'
import { refused, visitorAt } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { expectSound, ledgerOf, statusOf } from '../support/order-checks.ts'

let lms: Lms
let courses: string[]
let made = 0
beforeAll(async () => {
  lms = await startLms()
  lms.razorpay.webhooks.drop = 'all'
  courses = await Promise.all(Array.from({ length: 24 }, () => aCourseId(lms)))
})

type Limits = { maxTotal?: number | null; maxPerUser?: number | null }

async function aCoupon(limits: Limits): Promise<string> {
  const code = `FEW-${(made += 1)}`
  const { api } = await anAdmin(lms)
  await api.coupons.create.mutate({ code, kind: 'PERCENT', value: 10, ...limits })
  return code
}

const countOf = (code: string, state: string) =>
  lms.db.driver.collection('coupon_uses').countDocuments({ code, state })

const heldBy = ({ user }: Person) =>
  lms.db.orm.coupon_uses.where({ userId: user.id, state: 'HELD' }).all()

/** Time goes by, and what is due is looked at. */
async function pass(minutes: number): Promise<void> {
  lms.clock.advance(minutes * 60)
  await reconcile(lms.deps, () => Promise.resolve(true))
  const at = lms.clock.now()
  const later = new Date(at.getTime() + 10 * 86_400_000)
  await lms.db.driver
    .collection('sessions')
    .updateMany(
      {},
      { $set: { createdAt: at, lastUsedAt: at, expiresAt: later, absoluteExpiresAt: later } },
    )
}

describe('what one account holds of a coupon', () => {
  it('is one use of it, while it can run out, on two servers at once', async () => {
    const couponCode = await aCoupon({ maxTotal: 12, maxPerUser: null })
    const buyer = await aStudent(lms)
    const there = visitorAt((await lms.another()).url, buyer).api
    const answers = await Promise.allSettled(
      courses.map((courseId, at) =>
        (at % 2 === 0 ? buyer.api : there).orders.create.mutate({
          courseIds: [courseId],
          couponCode,
        }),
      ),
    )
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await countOf(couponCode, 'HELD')).toBe(1)
    await aSale(lms, { couponCode })
    await expectSound(lms)
  })

  it('and of all coupons together three, on two servers at once', async () => {
    const buyer = await aStudent(lms)
    const there = visitorAt((await lms.another()).url, buyer).api
    const codes = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        aCoupon({ maxTotal: n % 2 === 0 ? 5 : null, maxPerUser: null }),
      ),
    )
    const answers = await Promise.allSettled(
      codes.map((couponCode, at) =>
        (at % 2 === 0 ? buyer.api : there).orders.create.mutate({
          courseIds: courses.slice(at, at + 1),
          couponCode,
        }),
      ),
    )
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    expect(await heldBy(buyer)).toHaveLength(3)
    await refused(
      buyer.api.orders.create.mutate({
        courseIds: courses.slice(9, 10),
        couponCode: codes[7] ?? '',
      }),
      'TOO_MANY_OPEN_ORDERS',
    )
    // Without a coupon nothing is held from anybody.
    await anOrder(lms, { buyer, courseIds: courses.slice(10, 11) })
  })

  it('is free for another order once it is paid', async () => {
    const couponCode = await aCoupon({ maxTotal: 5, maxPerUser: null })
    const buyer = await aStudent(lms)
    for (const courseId of courses.slice(0, 5))
      await aSale(lms, { buyer, courseIds: [courseId], couponCode })
    expect(await countOf(couponCode, 'USED')).toBe(5)
    await expectSound(lms)
  })

  it('is nobody else’s for some forty minutes at most', async () => {
    const couponCode = await aCoupon({ maxTotal: 1, maxPerUser: null })
    const opened = await anOrder(lms, { couponCode })
    await pass(30)
    expect(await statusOf(lms, opened)).toBe('EXPIRED')
    await refused(anOrder(lms, { couponCode }), 'COUPON_USED_UP')
    await pass(10)
    await anOrder(lms, { couponCode })
  })

  it('cannot be kept for ever by letting it lapse again and again', async () => {
    const couponCode = await aCoupon({ maxTotal: 1, maxPerUser: null })
    const buyer = await aStudent(lms)
    const courseIds = [await aCourseId(lms)]
    for (let time = 0; time < 10; time += 1) {
      await anOrder(lms, { buyer, courseIds, couponCode })
      await pass(40)
    }
    await refused(buyer.api.orders.create.mutate({ courseIds, couponCode }), 'TOO_MANY_REQUESTS')
    await anOrder(lms, { couponCode })
    await pass(24 * 60)
    await anOrder(lms, { buyer, courseIds, couponCode })
  })
})

describe('a buyer whose order has lapsed', () => {
  it('is not in their own way, in another cart or in the same', async () => {
    const couponCode = await aCoupon({ maxTotal: 1, maxPerUser: 1 })
    const first = await anOrder(lms, { couponCode })
    lms.clock.advance(21 * 60)
    const { buyer } = first
    const second = await anOrder(lms, { buyer, couponCode })
    expect(second.order.id).not.toBe(first.order.id)
    expect(await statusOf(lms, first)).toBe('EXPIRED')
    await pass(21)
    const third = await anOrder(lms, { buyer, couponCode, courseIds: second.courseIds })
    await buyer.api.orders.verify.mutate(pay(lms, third))
    expect(await countOf(couponCode, 'USED')).toBe(1)
    await expectSound(lms)
  })

  it('and who pays the old one as well has the coupon once, and the other money back', async () => {
    const couponCode = await aCoupon({ maxTotal: 1, maxPerUser: 1 })
    const first = await anOrder(lms, { couponCode })
    lms.clock.advance(21 * 60)
    const { buyer } = first
    const second = await anOrder(lms, { buyer, couponCode })
    const late = pay(lms, first)
    expect((await buyer.api.orders.verify.mutate(late)).status).toBe('EXPIRED')
    expect((await buyer.api.orders.verify.mutate(pay(lms, second))).status).toBe('FULFILLED')
    await lms.work()
    expect(ledgerOf(lms, late.razorpay_payment_id)?.refunded).toBe(first.order.amountPaise)
    expect(await countOf(couponCode, 'USED')).toBe(1)
    await expectSound(lms)
  })

  it('and is paid while a new one is opened is sold the coupon once, whoever is first', async () => {
    for (let round = 0; round < 3; round += 1) {
      const couponCode = await aCoupon({ maxTotal: 1, maxPerUser: 1 })
      const first = await anOrder(lms, { couponCode })
      await pass(21)
      const { buyer } = first
      const paid = pay(lms, first)
      await Promise.allSettled([
        buyer.api.orders.verify.mutate(paid),
        anOrder(lms, { buyer, couponCode }),
      ])
      await pass(1)
      const live = (await countOf(couponCode, 'USED')) + (await countOf(couponCode, 'HELD'))
      expect(live).toBe(1)
      const isSold = (await statusOf(lms, first)) === 'FULFILLED'
      expect(ledgerOf(lms, paid.razorpay_payment_id)?.refunded).toBe(
        isSold ? 0 : first.order.amountPaise,
      )
    }
    await expectSound(lms)
  })
})
