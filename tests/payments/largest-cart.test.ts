// An order may hold twenty courses at the highest price there is: everything that handles a whole order has to
// handle that one.
import { beforeAll, describe, expect, it } from 'vitest'
import { aPublishedCourse } from '../support/builders/courses.ts'
import { aSale } from '../support/builders/orders.ts'
import { aStudent, anAdmin, anInstructor, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { deliverWebhooks, expectSound } from '../support/order-checks.ts'

const PRICE = 50_000_000
const TOTAL = 20 * PRICE

let lms: Lms
let owner: Person
let admin: Person
let courseIds: string[]
beforeAll(async () => {
  lms = await startLms({ env: { SELLER_NAME: 'Gurukul' } })
  ;[owner, admin] = [await anInstructor(lms), await anAdmin(lms)]
  courseIds = []
  for (let n = 0; n < 20; n += 1)
    courseIds.push((await aPublishedCourse(lms, { owner, pricePaise: PRICE })).course.id)
})

const aLargestSale = () => aSale(lms, { courseIds })

describe('the largest cart there can be', () => {
  it('is paid, has its receipt, and is given back whole', async () => {
    const { order, buyer } = await aLargestSale()
    expect(order.amountPaise).toBe(TOTAL)
    const page = await (await buyer.fetch(`/receipts/${order.id}`)).text()
    expect(page).toContain('₹1,00,00,000.00')
    const refund = await admin.api.refunds.create.mutate({ orderId: order.id })
    expect(refund).toMatchObject({ amountPaise: TOTAL, status: 'PROCESSED' })
    await deliverWebhooks(lms)
    await expectSound(lms)
  })

  it('is given back in amounts above the price of any course', async () => {
    const { order } = await aLargestSale()
    const giveBack = (amountPaise: number) =>
      admin.api.refunds.create.mutate({ orderId: order.id, amountPaise })
    expect(await giveBack(60_000_000)).toMatchObject({ amountPaise: 60_000_000 })
    await refused(giveBack(TOTAL), 'REFUND_TOO_LARGE')
    await refused(giveBack(TOTAL + 1), 'INVALID_INPUT')
    expect(await giveBack(TOTAL - 60_000_000)).toMatchObject({ status: 'PROCESSED' })
    await deliverWebhooks(lms)
    await expectSound(lms)
  })

  it('takes coupons that are for a whole order', async () => {
    const terms = { kind: 'FIXED', value: 940_000_000, minPaise: TOTAL } as const
    await admin.api.coupons.create.mutate({ code: 'WHOLE-ORDER', ...terms })
    const batch = await admin.api.coupons.createBatch.mutate({ prefix: 'BIG', count: 1, ...terms })
    const buyer = await aStudent(lms)
    const cart = { courseIds, code: batch.codes[0] ?? '' }
    expect(await buyer.api.coupons.preview.query(cart)).toMatchObject({ amountPaise: 60_000_000 })
    const fewer = { courseIds: courseIds.slice(1), code: 'WHOLE-ORDER' }
    await refused(buyer.api.coupons.preview.query(fewer), 'COUPON_INVALID')
    const { order } = await aSale(lms, { buyer, courseIds, couponCode: 'WHOLE-ORDER' })
    expect(order).toMatchObject({ amountPaise: 60_000_000, discountPaise: 940_000_000 })
    await expectSound(lms)
  })

  it('keeps coupons within what an order, or a whole, can be', async () => {
    const make = (terms: { kind: 'FIXED' | 'PERCENT'; value: number; minPaise?: number }) =>
      admin.api.coupons.create.mutate({ code: 'TOO-MUCH', ...terms })
    await refused(make({ kind: 'FIXED', value: TOTAL + 1 }), 'INVALID_INPUT')
    await refused(make({ kind: 'FIXED', value: 1, minPaise: TOTAL + 1 }), 'INVALID_INPUT')
    await refused(make({ kind: 'PERCENT', value: 101 }), 'INVALID_INPUT')
  })

  it('adds up beyond what 32 bits hold', async () => {
    const before = await owner.api.earnings.mine.query({})
    for (let sale = 0; sale < 3; sale += 1) await aLargestSale()
    const { grossPaise, netPaise } = await owner.api.earnings.mine.query({})
    expect(grossPaise - before.grossPaise).toBe(3 * TOTAL)
    expect(netPaise - before.netPaise).toBe(3 * TOTAL)
    const { revenue } = await admin.api.admin.stats.query()
    expect(revenue.grossPaise).toBeGreaterThanOrEqual(5 * TOTAL)
    expect(revenue.netPaise).toBe(revenue.grossPaise - revenue.refundPaise)
    await expectSound(lms)
  })
})

describe('a price', () => {
  it('is of one course, and has a limit of its own', async () => {
    const price = (pricePaise: number) =>
      owner.api.courses.update.mutate({ id: courseIds[0] ?? '', pricePaise })
    await refused(price(PRICE + 1), 'INVALID_INPUT')
    expect(await price(PRICE)).toMatchObject({ pricePaise: PRICE })
  })
})

describe('a search', () => {
  it('may be as long as what it looks for', async () => {
    const title = `A course about ${'everything '.repeat(9)}`.trim()
    expect(title.length).toBeGreaterThan(100)
    const { course } = await aPublishedCourse(lms, { owner, title })
    const { items } = await lms.visitor().api.courses.list.query({ q: title })
    expect(items.map(({ id }) => id)).toContain(course.id)
    const email = `${'a'.repeat(60)}@${'b'.repeat(60)}.example.test`
    await lms.db.orm.users.where({ _id: owner.user.id }).update({ email })
    const found = await admin.api.users.list.query({ q: email })
    expect(found.items.map(({ id }) => id)).toEqual([owner.user.id])
  })
})
