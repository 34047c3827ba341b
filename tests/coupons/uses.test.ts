import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { holdUse, redeemUse } from '../../src/coupons/uses.ts'
import { expire } from '../../src/orders/expiry.ts'
import { requireOrder } from '../../src/orders/order.ts'
import { aCourseId, anOrder, aSale, pay } from '../support/builders/orders.ts'
import { anAdmin, aStudent, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { deliverWebhooks, expectSound, isIn } from '../support/order-checks.ts'

let lms: Lms
let admin: Person
let count = 0
beforeAll(async () => {
  lms = await startLms()
  admin = await anAdmin(lms)
})

async function aCoupon(limits: { maxTotal: number | null; maxPerUser: number | null }) {
  const code = `HOLD-${(count += 1)}`
  await admin.api.auth.confirmPassword.mutate({ password: admin.password })
  await admin.api.coupons.create.mutate({ code, kind: 'PERCENT', value: 10, ...limits })
  return code
}

async function limit(
  code: string,
  limits: { maxTotal?: number | null; maxPerUser?: number | null },
) {
  await admin.api.auth.confirmPassword.mutate({ password: admin.password })
  return admin.api.coupons.update.mutate({ code, ...limits })
}

const usesOf = (code: string) =>
  lms.db.driver.collection('coupon_uses').countDocuments({ code, state: { $ne: 'RELEASED' } })

const useOf = (orderId: string) => lms.db.orm.coupon_uses.where({ orderId }).first()

describe('the last use of a coupon', () => {
  it('is one use for a buyer who clicks ten times', async () => {
    for (let round = 0; round < 5; round += 1) {
      const couponCode = await aCoupon({ maxTotal: 1, maxPerUser: 1 })
      const [buyer, courseId] = [await aStudent(lms), await aCourseId(lms)]
      const cart = { courseIds: [courseId], couponCode }
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => buyer.api.orders.create.mutate(cart)),
      )
      expect(new Set(answers.map(({ order }) => order.id)).size).toBe(1)
      expect(answers.map(({ order }) => order.status)).toEqual(answers.map(() => 'CREATED'))
      expect(await usesOf(couponCode)).toBe(1)
    }
    await expectSound(lms)
  })

  it('stays with an order that is paid while somebody closes it', async () => {
    const couponCode = await aCoupon({ maxTotal: 1, maxPerUser: null })
    const opened = await anOrder(lms, { couponCode })
    const stale = await requireOrder(lms.deps, opened.order.id)
    const set = { status: 'PAID' }
    await lms.db.driver
      .collection('orders')
      .updateOne({ gatewayOrderId: opened.order_id }, { $set: set })
    await expire(lms.deps, stale)
    expect(await useOf(opened.order.id)).toMatchObject({ state: 'HELD', place: 0 })
    await lms.db.orm.orders.where({ _id: opened.order.id }).update({ status: 'CREATED' })
  })

  it('is gone for a late payer where somebody else has had it', async () => {
    const couponCode = await aCoupon({ maxTotal: 1, maxPerUser: null })
    const late = await anOrder(lms, { couponCode })
    lms.clock.advance(2 * 3_600)
    await lms.work()
    expect(await useOf(late.order.id)).toMatchObject({ state: 'RELEASED', place: 0 })
    await aSale(lms, { couponCode })
    await late.buyer.api.orders.verify.mutate(pay(lms, late))
    await deliverWebhooks(lms)
    expect(await useOf(late.order.id)).toBeNull()
    expect(await isIn(late.buyer, late.courseIds[0] ?? '')).toBe(false)
    await limit(couponCode, { maxTotal: 2 })
    await aSale(lms, { couponCode })
    await refused(anOrder(lms, { couponCode }), 'COUPON_USED_UP')
    await expectSound(lms)
  })

  it('is held anew for a late payer where it is left, and counts against those who come after', async () => {
    const couponCode = await aCoupon({ maxTotal: 1, maxPerUser: null })
    const late = await anOrder(lms, { couponCode })
    lms.clock.advance(2 * 3_600)
    await lms.work()
    await late.buyer.api.orders.verify.mutate(pay(lms, late))
    expect(await useOf(late.order.id)).toMatchObject({ state: 'USED', late: true, place: 1 })
    await refused(anOrder(lms, { couponCode }), 'COUPON_USED_UP')
    await deliverWebhooks(lms)
    await expectSound(lms)
  })

  it('is taken again by whoever goes on for a server that died over it', async () => {
    const couponCode = await aCoupon({ maxTotal: 1, maxPerUser: null })
    const opened = await anOrder(lms, { couponCode })
    lms.clock.advance(2 * 3_600)
    await lms.work()
    expect(await useOf(opened.order.id)).toMatchObject({ state: 'RELEASED' })
    await redeemUse(lms.deps, opened.order.id)
    await redeemUse(lms.deps, opened.order.id)
    expect(await useOf(opened.order.id)).toMatchObject({ state: 'USED', late: true, place: 0 })
    await lms.db.orm.coupon_uses.where({ orderId: opened.order.id }).deleteAndCount()
  })
})

describe('a limit that an administrator changes', () => {
  it('is honoured at once, lowered to what is used', async () => {
    const couponCode = await aCoupon({ maxTotal: 100, maxPerUser: null })
    const courseIds = [await aCourseId(lms)]
    const sell = () => aSale(lms, { courseIds, couponCode })
    for (let sold = 0; sold < 5; sold += 1) await sell()
    await limit(couponCode, { maxTotal: 5 })
    await refused(sell(), 'COUPON_USED_UP')
    await limit(couponCode, { maxTotal: 3 })
    await refused(sell(), 'COUPON_USED_UP')
    await limit(couponCode, { maxTotal: 6 })
    await sell()
    await refused(sell(), 'COUPON_USED_UP')
    await expectSound(lms)
  })

  it('counts what was used while there was none', async () => {
    const couponCode = await aCoupon({ maxTotal: null, maxPerUser: null })
    const buyer = await aStudent(lms)
    const sell = async () => aSale(lms, { buyer, courseIds: [await aCourseId(lms)], couponCode })
    for (let sold = 0; sold < 3; sold += 1) await sell()
    await limit(couponCode, { maxTotal: 3 })
    await refused(sell(), 'COUPON_USED_UP')
    await limit(couponCode, { maxTotal: null, maxPerUser: 3 })
    await refused(sell(), 'COUPON_USED_UP')
    await limit(couponCode, { maxPerUser: 4 })
    await sell()
    await refused(sell(), 'COUPON_USED_UP')
    await limit(couponCode, { maxPerUser: null })
    await sell()
    await expectSound(lms)
  })

  it('counts neither what was given back nor twice what was given back and sold again', async () => {
    const couponCode = await aCoupon({ maxTotal: 10, maxPerUser: null })
    const courseIds = [await aCourseId(lms)]
    for (let left = 0; left < 4; left += 1) await anOrder(lms, { courseIds, couponCode })
    lms.clock.advance(2 * 3_600)
    await lms.work()
    for (let sold = 0; sold < 3; sold += 1) await aSale(lms, { courseIds, couponCode })
    await limit(couponCode, { maxTotal: 4 })
    await aSale(lms, { courseIds, couponCode })
    await refused(anOrder(lms, { courseIds, couponCode }), 'COUPON_USED_UP')
    await expectSound(lms)
  })

  it('while fifty buyers come at once is never passed', async () => {
    const couponCode = await aCoupon({ maxTotal: 40, maxPerUser: null })
    const courseIds = [await aCourseId(lms)]
    const buyers = await Promise.all(Array.from({ length: 50 }, () => aStudent(lms)))
    const other = await lms.another()
    const outcomes = Promise.allSettled(
      buyers.map(({ user }, at) => {
        const deps = at % 2 === 0 ? lms.deps : other.deps
        const orderId = `${at}`.padStart(24, user.id)
        return holdUse(deps, { code: couponCode }, { userId: user.id, orderId })
      }),
    )
    await limit(couponCode, { maxTotal: 12 })
    const lowered = await usesOf(couponCode)
    await outcomes
    const sold = await usesOf(couponCode)
    expect(sold).toBeGreaterThanOrEqual(12)
    // Each of the two may have been over a decision while the limit was lowered.
    expect(sold).toBeLessThanOrEqual(Math.max(lowered, 12) + 2)
    await refused(anOrder(lms, { courseIds, couponCode }), 'COUPON_USED_UP')
    await expectSound(lms)
  }, 60_000)
})

describe('a coupon used often', () => {
  it('takes a buyer no longer than a new one', async () => {
    const [often, seldom] = [
      await aCoupon({ maxTotal: 100_000, maxPerUser: 1 }),
      await aCoupon({ maxTotal: 100_000, maxPerUser: 1 }),
    ]
    const at = lms.clock.now()
    // In parts: no statement may take the engine for long.
    for (let from = 0; from < 30_000; from += 3_000)
      await lms.db.driver.collection('coupon_uses').insertMany(
        Array.from({ length: 3_000 }, (_, n) => ({
          code: often,
          userId: new ObjectId(),
          place: from + n,
          orderId: `${often}-${from + n}`,
          state: 'USED',
          maxTotal: 100_000,
          maxPerUser: 1,
          late: false,
          createdAt: at,
          updatedAt: at,
        })),
      )
    const courseIds = [await aCourseId(lms)]
    const { api } = await aStudent(lms)
    const took = async (couponCode: string) => {
      const since = performance.now()
      await api.orders.create.mutate({ courseIds, couponCode })
      return performance.now() - since
    }
    await took(await aCoupon({ maxTotal: null, maxPerUser: null }))
    const usual = await took(seldom)
    expect(await took(often)).toBeLessThan(usual * 3 + 100)
    await lms.db.driver.collection('coupon_uses').deleteMany({ code: often })
  }, 60_000)
})

describe('a buyer whose refund failed at the bank', () => {
  it('may ask for it again', async () => {
    const sale = await aSale(lms)
    const courseId = sale.courseIds[0] ?? ''
    const ask = () =>
      sale.buyer.api.orders.requestRefund.mutate({ orderId: sale.order.id, courseId })
    await lms.razorpay.with({ refunds: 'failed' }, ask)
    await deliverWebhooks(lms)
    expect(await isIn(sale.buyer, courseId)).toBe(true)
    expect(await ask()).toMatchObject({ status: 'PROCESSED', amountPaise: 49_900 })
    await deliverWebhooks(lms)
    expect(await isIn(sale.buyer, courseId)).toBe(false)
    await expectSound(lms)
  })
})
