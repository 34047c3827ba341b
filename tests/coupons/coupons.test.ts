import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { shareOut } from '../../src/money.ts'
import { aCourseId, anOrder, aSale, pay } from '../support/builders/orders.ts'
import { anAdmin, aStudent, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { expectSound, isIn, statusOf } from '../support/order-checks.ts'

let lms: Lms
let admin: Person
beforeAll(async () => {
  lms = await startLms()
  admin = await anAdmin(lms)
  lms.razorpay.webhooks.drop = 'all'
})

type NewCoupon = Parameters<Person['api']['coupons']['create']['mutate']>[0]
let made = 0

async function aCoupon(terms: Partial<NewCoupon> = {}): Promise<string> {
  made += 1
  const code = `CODE-${made}`
  await admin.api.auth.confirmPassword.mutate({ password: admin.password })
  await admin.api.coupons.create.mutate({ code, kind: 'PERCENT', value: 10, ...terms })
  return code
}

const usesOf = async (code: string) =>
  (await admin.api.coupons.list.query({ limit: 100 })).items.find((coupon) => coupon.code === code)

describe('a coupon', () => {
  it('takes a share off each line, fractions to the buyer', async () => {
    const couponCode = await aCoupon({ value: 33 })
    const courseIds = [await aCourseId(lms, 10_001), await aCourseId(lms, 999)]
    const { order, order_id } = await anOrder(lms, { courseIds, couponCode })
    const byPrice = order.lines.toSorted((a, b) => a.listPaise - b.listPaise)
    expect(byPrice.map(({ discountPaise }) => discountPaise)).toEqual([330, 3_301])
    expect(order.amountPaise).toBe(999 + 10_001 - 330 - 3_301)
    expect(lms.razorpay.state.orders.get(order_id)?.order.amount).toBe(order.amountPaise)
  })

  it('of a fixed amount never takes off more than the price', async () => {
    const couponCode = await aCoupon({ kind: 'FIXED', value: 99_999 })
    const { order, buyer, courseIds } = await anOrder(lms, { couponCode, pricePaise: 40_000 })
    expect(order).toMatchObject({ amountPaise: 0, discountPaise: 40_000, status: 'FULFILLED' })
    expect(await isIn(buyer, courseIds[0] ?? '')).toBe(true)
    expect(await usesOf(couponCode)).toMatchObject({ used: 1, held: 0 })
    await expectSound(lms)
  })

  it('is held by an open order, used by a paid one, released by an expired one', async () => {
    const couponCode = await aCoupon({ maxTotal: 1 })
    const first = await anOrder(lms, { couponCode })
    expect(await usesOf(couponCode)).toMatchObject({ held: 1, used: 0 })
    const courseId = await aCourseId(lms)
    const second = await aStudent(lms)
    const buy = () => second.api.orders.create.mutate({ courseIds: [courseId], couponCode })
    await refused(buy(), 'COUPON_USED_UP')
    lms.clock.advance(61 * 60)
    await lms.work()
    expect(await statusOf(lms, first)).toBe('EXPIRED')
    const { order, checkout } = await buy()
    const opened = {
      buyer: second,
      order,
      order_id: checkout?.order_id ?? '',
      courseIds: [courseId],
    }
    await second.api.orders.verify.mutate(pay(lms, opened))
    expect(await usesOf(couponCode)).toMatchObject({ held: 0, used: 1 })
    await expectSound(lms)
  })

  it('is honoured for a late payer, and counts', async () => {
    const couponCode = await aCoupon({ maxTotal: 5 })
    const opened = await anOrder(lms, { couponCode })
    lms.clock.advance(61 * 60)
    await lms.work()
    await opened.buyer.api.orders.verify.mutate(pay(lms, opened))
    expect(await usesOf(couponCode)).toMatchObject({ held: 0, used: 1 })
    await expectSound(lms)
  })

  it('is shown before anything is ordered, and typed in any case', async () => {
    const code = await aCoupon({ value: 50 })
    const courseId = await aCourseId(lms, 20_000)
    const { api } = await aStudent(lms)
    const input = { courseIds: [courseId], code: ` ${code.toLowerCase()} ` }
    expect(await api.coupons.preview.query(input)).toMatchObject({ amountPaise: 10_000 })
    expect(await usesOf(code)).toMatchObject({ held: 0, used: 0 })
  })

  it('may be named `coupon` as well, beside what an order ignores', async () => {
    const code = await aCoupon({ value: 50 })
    const courseId = await aCourseId(lms, 20_000)
    const { api } = await aStudent(lms)
    const input = { courseIds: [courseId], coupon: code, amount: 1, amountPaise: 1 }
    const { order } = await api.orders.create.mutate(input)
    expect(order).toMatchObject({ couponCode: code, amountPaise: 10_000 })
  })

  it('comes in batches of single-use codes', async () => {
    const { codes } = await admin.api.coupons.createBatch.mutate({
      prefix: 'DIWALI',
      count: 50,
      kind: 'PERCENT',
      value: 20,
    })
    expect(new Set(codes).size).toBe(50)
    const couponCode = codes[0] ?? ''
    await aSale(lms, { couponCode })
    const { api } = await aStudent(lms)
    const courseIds = [await aCourseId(lms)]
    await refused(api.orders.create.mutate({ courseIds, couponCode }), 'COUPON_USED_UP')
  })
})

describe('a coupon is refused', () => {
  it('when unknown, switched off, too early or too late', async () => {
    const now = lms.clock.now().getTime()
    const codes = [
      'NO-SUCH-CODE',
      await aCoupon({ active: false }),
      await aCoupon({ startsAt: new Date(now + 60_000) }),
      await aCoupon({ endsAt: new Date(now - 60_000) }),
    ]
    const { api } = await aStudent(lms)
    const courseIds = [await aCourseId(lms)]
    for (const couponCode of codes) {
      await refused(api.orders.create.mutate({ courseIds, couponCode }), 'COUPON_INVALID')
    }
  })

  it('for other courses and below its minimum', async () => {
    const courseId = await aCourseId(lms, 10_000)
    const { api } = await aStudent(lms)
    const scoped = await aCoupon({ courseIds: [await aCourseId(lms)] })
    const least = await aCoupon({ minPaise: 10_001 })
    for (const couponCode of [scoped, least]) {
      const call = api.orders.create.mutate({ courseIds: [courseId], couponCode })
      await refused(call, 'COUPON_INVALID')
    }
  })

  it('the second time by the same buyer', async () => {
    const couponCode = await aCoupon({ maxPerUser: 1 })
    const { buyer } = await aSale(lms, { couponCode })
    const courseIds = [await aCourseId(lms)]
    await refused(buyer.api.orders.create.mutate({ courseIds, couponCode }), 'COUPON_USED_UP')
  })

  it('where it would leave less than a rupee', async () => {
    const couponCode = await aCoupon({ kind: 'FIXED', value: 9_950 })
    const courseIds = [await aCourseId(lms, 10_000)]
    const { api } = await aStudent(lms)
    await refused(api.orders.create.mutate({ courseIds, couponCode }), 'AMOUNT_TOO_SMALL')
  })

  it('when its terms or their changes say what is not known', async () => {
    const terms = { code: 'STRICT-1', kind: 'PERCENT' as const, value: 10 }
    const odd = { ...terms, maxUses: 1 }
    await refused(admin.api.coupons.create.mutate(odd), 'INVALID_INPUT')
    const code = await aCoupon()
    const change = { code, maxUses: 1 }
    await refused(admin.api.coupons.update.mutate(change), 'INVALID_INPUT')
  })

  it('when it is made twice or above the whole', async () => {
    const code = await aCoupon()
    await refused(
      admin.api.coupons.create.mutate({ code, kind: 'FIXED', value: 1 }),
      'COUPON_TAKEN',
    )
    await refused(
      admin.api.coupons.create.mutate({ code: 'TOO-MUCH', kind: 'PERCENT', value: 101 }),
      'INVALID_INPUT',
    )
  })
})

describe('fifty buyers reaching for ten uses', () => {
  it('get exactly ten', async () => {
    const couponCode = await aCoupon({ maxTotal: 10 })
    const courseIds = [await aCourseId(lms)]
    const buyers = await Promise.all(Array.from({ length: 50 }, () => aStudent(lms)))
    const outcomes = await Promise.allSettled(
      buyers.map(({ api }) => api.orders.create.mutate({ courseIds, couponCode })),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
    expect(await usesOf(couponCode)).toMatchObject({ held: 10 })
    const orders = await lms.db.orm.orders.where({ couponCode }).all()
    // Whoever got no use has no order that could be paid.
    expect(orders.filter(({ status }) => status !== 'EXPIRED')).toHaveLength(10)
    const atRazorpay = [...lms.razorpay.state.orders.values()].length
    const linked = await lms.db.orm.orders.where({}).all()
    expect(linked.filter((order) => order.gatewayOrderId)).toHaveLength(atRazorpay)
    await expectSound(lms)
  }, 120_000)

  it('who are one buyer with one use get one', async () => {
    const couponCode = await aCoupon({ maxPerUser: 1 })
    const buyer = await aStudent(lms)
    const courses = await Promise.all(Array.from({ length: 6 }, () => aCourseId(lms)))
    const outcomes = await Promise.allSettled(
      courses.map((courseId) =>
        buyer.api.orders.create.mutate({ courseIds: [courseId], couponCode }),
      ),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})

describe('a fixed amount parted over prices', () => {
  it('adds up to the paisa and stays below each price', () => {
    const prices = fc.array(fc.integer({ min: 0, max: 50_000_000 }), {
      minLength: 1,
      maxLength: 20,
    })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000_000 }), prices, (amount, list) => {
        const parts = shareOut(amount, list)
        const whole = list.reduce((sum, price) => sum + price, 0)
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(Math.min(amount, whole))
        parts.forEach((part, at) => {
          expect(part).toBeGreaterThanOrEqual(0)
          expect(part).toBeLessThanOrEqual(list[at] ?? 0)
        })
      }),
    )
  })
})
