import { beforeAll, describe, expect, it } from 'vitest'
import { aDraft, aPublishedCourse, giveGrant } from '../support/builders/courses.ts'
import { aCourseId, anOrder, aSale } from '../support/builders/orders.ts'
import { anInstructor, aStudent } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { expectSound, statusOf } from '../support/order-checks.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

describe('opening an order', () => {
  it('names the price itself and answers what checkout.js needs', async () => {
    const { course } = await aPublishedCourse(lms, { title: 'Sitar', pricePaise: 49_900 })
    const buyer = await aStudent(lms)
    const { order, checkout } = await buyer.api.orders.create.mutate({ courseIds: [course.id] })
    expect(order).toMatchObject({
      status: 'CREATED',
      currency: 'INR',
      amountPaise: 49_900,
      lines: [{ no: 1, courseId: course.id, title: 'Sitar', amountPaise: 49_900 }],
    })
    expect(checkout).toMatchObject({
      key: 'rzp_test_gurukultests',
      amount: 49_900,
      currency: 'INR',
      name: 'Gurukul',
      prefill: { name: buyer.user.name, email: buyer.user.email },
    })
    const theirs = lms.razorpay.state.orders.get(checkout?.order_id ?? '')?.order
    expect(theirs).toMatchObject({ amount: 49_900, receipt: order.id })
  })

  it('takes several courses, each once, in one order', async () => {
    const [one, two] = [await aCourseId(lms, 10_000), await aCourseId(lms, 25_000)]
    const { order } = await anOrder(lms, { courseIds: [one, two, one] })
    expect(order.amountPaise).toBe(35_000)
    expect(order.lines.map(({ courseId }) => courseId).sort()).toEqual([one, two].sort())
  })

  it('gives a course that costs nothing at once, without Razorpay', async () => {
    const before = lms.razorpay.requests().length
    const courseId = await aCourseId(lms, 0)
    const buyer = await aStudent(lms)
    const { order, checkout } = await buyer.api.orders.create.mutate({ courseIds: [courseId] })
    expect([order.status, checkout]).toEqual(['FULFILLED', null])
    expect(lms.razorpay.requests()).toHaveLength(before)
    await expectSound(lms)
  })

  it('keeps the price of the moment it was opened', async () => {
    const { course, owner } = await aPublishedCourse(lms, { pricePaise: 20_000 })
    const { buyer, order } = await anOrder(lms, { courseIds: [course.id] })
    await owner.api.courses.update.mutate({ id: course.id, pricePaise: 30_000 })
    expect((await buyer.api.orders.get.query({ orderId: order.id })).amountPaise).toBe(20_000)
  })

  it('opens another order where the price has changed since', async () => {
    const { course, owner } = await aPublishedCourse(lms, { pricePaise: 20_000 })
    const first = await anOrder(lms, { courseIds: [course.id] })
    await owner.api.courses.update.mutate({ id: course.id, pricePaise: 15_000 })
    const second = await anOrder(lms, { courseIds: [course.id], buyer: first.buyer })
    expect(second.order.id).not.toBe(first.order.id)
    expect(second.order.amountPaise).toBe(15_000)
  })

  it('opens a new order once the old one has expired', async () => {
    const first = await anOrder(lms)
    lms.clock.advance(61 * 60)
    const buyer = first.buyer
    await buyer.api.auth.login.mutate({ email: buyer.user.email, password: buyer.password })
    const second = await anOrder(lms, { courseIds: first.courseIds, buyer })
    expect(second.order.id).not.toBe(first.order.id)
    expect(await statusOf(lms, first)).toBe('EXPIRED')
  })
})

describe('an order is refused', () => {
  it('for nothing, and for what is no id', async () => {
    const { api } = await aStudent(lms)
    await refused(api.orders.create.mutate({ courseIds: [] }), 'EMPTY_CART')
    await refused(api.orders.create.mutate({ courseIds: ['$ne'] }), 'INVALID_INPUT')
  })

  it('for courses that are not on sale', async () => {
    const { course } = await aDraft(lms)
    const { api } = await aStudent(lms)
    await refused(api.orders.create.mutate({ courseIds: [course.id] }), 'NOT_FOUND')
    await refused(api.orders.create.mutate({ courseIds: ['0'.repeat(24)] }), 'NOT_FOUND')
  })

  it("for one's own course", async () => {
    const owner = await anInstructor(lms)
    const { course } = await aPublishedCourse(lms, { owner })
    await refused(owner.api.orders.create.mutate({ courseIds: [course.id] }), 'OWN_COURSE')
  })

  it('for a course one has already, and nothing is asked of Razorpay', async () => {
    const { buyer, courseIds } = await aSale(lms)
    const before = lms.razorpay.requests().length
    await refused(buyer.api.orders.create.mutate({ courseIds }), 'ALREADY_ENROLLED')
    expect(lms.razorpay.requests()).toHaveLength(before)
  })

  it('but not for a course one has only for a while', async () => {
    const courseId = await aCourseId(lms)
    const buyer = await aStudent(lms)
    const until = new Date(lms.clock.now().getTime() + 86_400_000)
    await giveGrant(lms, { userId: buyer.user.id, courseId }, { until })
    const { order } = await anOrder(lms, { buyer, courseIds: [courseId] })
    expect(order.status).toBe('CREATED')
  })

  it('below a rupee', async () => {
    const { api } = await aStudent(lms)
    const courseId = await aCourseId(lms)
    await lms.db.orm.courses.where({ _id: courseId }).update({ pricePaise: 99 })
    await refused(api.orders.create.mutate({ courseIds: [courseId] }), 'AMOUNT_TOO_SMALL')
  })

  it('to a stranger who asks to see it', async () => {
    const { order } = await anOrder(lms)
    const stranger = await aStudent(lms)
    await refused(stranger.api.orders.get.query({ orderId: order.id }), 'NOT_FOUND')
    expect((await stranger.api.orders.mine.query({})).items).toEqual([])
  })
})

describe('the same cart opened ten times at once', () => {
  it('is one order, ours and at Razorpay', async () => {
    const courseId = await aCourseId(lms)
    const buyer = await aStudent(lms)
    const opened = await Promise.all(
      Array.from({ length: 10 }, () => anOrder(lms, { buyer, courseIds: [courseId] })),
    )
    expect(new Set(opened.map(({ order }) => order.id)).size).toBe(1)
    expect(new Set(opened.map(({ order_id }) => order_id)).size).toBe(1)
    const theirs = lms.razorpay
      .ledger()
      .orders.filter(({ receipt }) => receipt === opened[0]?.order.id)
    expect(theirs).toHaveLength(1)
    expect((await buyer.api.orders.mine.query({})).items).toHaveLength(1)
  })
})
