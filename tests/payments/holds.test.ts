import { beforeAll, describe, expect, it } from 'vitest'
import { settleUse } from '../../src/orders/coupon-holds.ts'
import { expire } from '../../src/orders/expiry.ts'
import { requireOrder } from '../../src/orders/order.ts'
import { anAdmin, aStudent, type Person } from '../builders.ts'
import { aCourse, anOrder, aSale, expectSound, isIn, settle } from '../builders-orders.ts'
import { startLms, type Lms } from '../harness.ts'

let lms: Lms
let admin: Person
let count = 0
beforeAll(async () => {
  lms = await startLms()
  admin = await anAdmin(lms)
})

async function aCoupon(limits: { maxTotal: number | null; maxPerUser: number | null }) {
  const code = `HOLD-${(count += 1)}`
  await admin.api.coupons.create.mutate({ code, kind: 'PERCENT', value: 10, ...limits })
  return code
}

const useOf = (orderId: string) => lms.db.orm.coupon_uses.where({ orderId }).first()

describe('the last use of a coupon', () => {
  it('is one use for a buyer who clicks ten times', async () => {
    for (let round = 0; round < 5; round += 1) {
      const couponCode = await aCoupon({ maxTotal: 1, maxPerUser: 1 })
      const [buyer, courseId] = [await aStudent(lms), await aCourse(lms)]
      const cart = { courseIds: [courseId], couponCode }
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => buyer.api.orders.create.mutate(cart)),
      )
      expect(new Set(answers.map(({ order }) => order.id)).size).toBe(1)
      expect(answers.map(({ order }) => order.status)).toEqual(answers.map(() => 'CREATED'))
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
      .updateOne({ razorpayOrderId: opened.order_id }, { $set: set })
    await expire(lms.deps, stale)
    expect(await useOf(opened.order.id)).toMatchObject({ state: 'HELD', place: 0 })
    await lms.db.orm.orders.where({ _id: opened.order.id }).update({ status: 'CREATED' })
  })

  it('is taken again by whoever goes on for a server that died over it', async () => {
    const couponCode = await aCoupon({ maxTotal: 1, maxPerUser: null })
    const opened = await anOrder(lms, { couponCode })
    lms.clock.advance(2 * 3_600)
    await lms.work()
    expect(await useOf(opened.order.id)).toMatchObject({ state: 'RELEASED' })
    await lms.db.orm.coupon_uses.where({ orderId: opened.order.id }).update({ state: 'USED' })
    await settleUse(lms.deps, await requireOrder(lms.deps, opened.order.id))
    expect(await useOf(opened.order.id)).toMatchObject({ state: 'USED', place: 0 })
    await lms.db.orm.coupon_uses.where({ orderId: opened.order.id }).deleteAndCount()
  })
})

describe('a buyer whose refund failed at the bank', () => {
  it('may ask for it again', async () => {
    const sale = await aSale(lms)
    const courseId = sale.courseIds[0] ?? ''
    const ask = () =>
      sale.buyer.api.orders.requestRefund.mutate({ orderId: sale.order.id, courseId })
    lms.razorpay.settings.refunds = 'failed'
    await ask()
    await settle(lms)
    lms.razorpay.settings.refunds = 'processed'
    expect(await isIn(sale.buyer, courseId)).toBe(true)
    expect(await ask()).toMatchObject({ status: 'PROCESSED', amountPaise: 49_900 })
    await settle(lms)
    expect(await isIn(sale.buyer, courseId)).toBe(false)
    await expectSound(lms)
  })
})
