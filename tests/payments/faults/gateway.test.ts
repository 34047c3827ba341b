// Razorpay's side of a checkout misbehaves.
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Fault } from '../../../sandbox/razorpay/api/faults.ts'
import { aPublishedCourse } from '../../support/builders/courses.ts'
import { aCourseId, anOrder, pay, payWithoutWebhooks } from '../../support/builders/orders.ts'
import { aStudent, type Person } from '../../support/builders/people.ts'
import { refused } from '../../support/client.ts'
import { startLms, type Lms } from '../../support/harness.ts'
import {
  deliverWebhooks,
  expectSound,
  grantCount,
  isIn,
  statusOf,
} from '../../support/order-checks.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})
afterEach(async () => {
  // A breaker that a test has opened, or nearly, is closed again by a call that goes well.
  lms.clock.advance(11)
  await anOrder(lms)
  await deliverWebhooks(lms)
  await expectSound(lms)
})

const CREATE = 'POST /orders'

/** Opens an order while these faults wait. */
const orderUnder = (...faults: Fault[]) => lms.razorpay.with({ faults }, () => anOrder(lms))

const ordersAt = (orderId: string) =>
  [...lms.razorpay.state.orders.values()].filter(({ order }) => order.receipt === orderId)

/** Tries to open an order while these faults wait, and is told to come again. */
async function sentAway(...faults: Fault[]): Promise<{ buyer: Person; courseIds: string[] }> {
  const buyer = await aStudent(lms)
  const courseIds = [await aCourseId(lms)]
  await lms.razorpay.with({ faults }, () =>
    refused(buyer.api.orders.create.mutate({ courseIds }), 'PAYMENT_GATEWAY_DOWN'),
  )
  return { buyer, courseIds }
}

describe('creating an order at Razorpay', () => {
  it.each<Fault>([
    { route: CREATE, kind: 'reset', commit: true },
    { route: CREATE, kind: 'error', commit: true },
    { route: CREATE, kind: 'garbage', commit: true },
  ])('whose answer is lost ($kind) is found by its receipt: one order', async (fault) => {
    const opened = await orderUnder(fault)
    expect(ordersAt(opened.order.id)).toHaveLength(1)
    expect(ordersAt(opened.order.id)[0]?.order.id).toBe(opened.order_id)
    pay(lms, opened)
    await deliverWebhooks(lms)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('whose answer is lost, and the look-up too, is found when the buyer tries again', async () => {
    const { buyer, courseIds } = await sentAway(
      { route: CREATE, kind: 'error', commit: true },
      { route: 'GET /orders', kind: 'error', times: 3 },
    )
    const opened = await anOrder(lms, { buyer, courseIds })
    expect(ordersAt(opened.order.id)).toHaveLength(1)
  })

  it('where a receipt may be used once only, is found again all the same', async () => {
    const faults: Fault[] = [{ route: CREATE, kind: 'reset', commit: true }]
    const opened = await lms.razorpay.with({ receipts: 'reject', faults }, () => anOrder(lms))
    expect(ordersAt(opened.order.id)).toHaveLength(1)
  })

  it('answered by a gateway page is told as come again, and no order id is made up', async () => {
    const buyer = await aStudent(lms)
    const courseIds = [await aCourseId(lms)]
    const faults: Fault[] = [{ route: '*', kind: 'error', times: 20 }]
    const answer = await lms.razorpay.with({ faults }, () =>
      buyer.fetch('/trpc/orders.create', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ json: { courseIds } }),
      }),
    )
    expect(answer.status).toBe(503)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    const [order] = (await buyer.api.orders.mine.query({})).items
    expect(order).toMatchObject({ status: 'CREATED' })
    const stored = await lms.db.orm.orders.where({ _id: order?.id ?? '' }).first()
    expect(stored?.gatewayOrderId ?? null).toBeNull()
  })

  it('throttled is tried again within its deadline, and then told as come again', async () => {
    const opened = await orderUnder({ route: CREATE, kind: 'throttle', times: 1 })
    expect(opened.order_id).toMatch(/^order_/)
    await sentAway({ route: '*', kind: 'throttle', times: 50 })
  })

  it('refused or cut off leaves sign-in and lessons alone', async () => {
    const buyer = await aStudent(lms)
    const { course, lessonId, owner } = await aPublishedCourse(lms)
    await lms.razorpay.with({ faults: [{ route: '*', kind: 'reset', times: 100 }] }, async () => {
      for (let time = 0; time < 6; time += 1) {
        const call = buyer.api.orders.create.mutate({ courseIds: [course.id] })
        await refused(call, 'PAYMENT_GATEWAY_DOWN')
      }
      // The breaker is open: nothing is sent any more.
      const sent = lms.razorpay.requests().length
      const call = buyer.api.orders.create.mutate({ courseIds: [course.id] })
      await refused(call, 'PAYMENT_GATEWAY_DOWN')
      expect(lms.razorpay.requests()).toHaveLength(sent)
      await buyer.api.auth.login.mutate({ email: buyer.user.email, password: buyer.password })
      await owner.api.lessons.open.query({ courseId: course.id, lessonId })
    })
  })

  it('with nonsense for an answer is never taken for success', async () => {
    await sentAway(
      { route: CREATE, kind: 'garbage', times: 3 },
      { route: 'GET /orders', kind: 'garbage', times: 6 },
    )
  })

  it('that we died on before noting it is linked by the sweep, and a payment on it enrols', async () => {
    const opened = await anOrder(lms)
    await lms.db.orm.orders
      .where({ _id: opened.order.id })
      .update((order) => [order.gatewayOrderId.unset()])
    payWithoutWebhooks(lms, opened)
    lms.clock.advance(61)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('that we died on before noting it is linked by the webhook of its payment', async () => {
    const opened = await anOrder(lms)
    await lms.db.orm.orders
      .where({ _id: opened.order.id })
      .update((order) => [order.gatewayOrderId.unset()])
    pay(lms, opened)
    await deliverWebhooks(lms)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })
})

describe('asking Razorpay about a payment', () => {
  it('whose lists lag behind goes by the order, which does not', async () => {
    const opened = await anOrder(lms)
    await lms.razorpay.with({ listLagMs: 10 * 60_000, drop: 'all' }, async () => {
      pay(lms, opened)
      lms.clock.advance(61)
      await lms.work()
    })
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('that is down leaves verify undecided, and the next try decides', async () => {
    const opened = await anOrder(lms)
    const paid = payWithoutWebhooks(lms, opened)
    const faults: Fault[] = [{ route: 'GET /payments/:id', kind: 'garbage', times: 3 }]
    await lms.razorpay.with({ faults }, () =>
      refused(opened.buyer.api.orders.verify.mutate(paid), 'PAYMENT_GATEWAY_DOWN'),
    )
    expect(await statusOf(lms, opened)).toBe('CREATED')
    expect((await opened.buyer.api.orders.verify.mutate(paid)).status).toBe('FULFILLED')
  })

  it('captures an authorized one once, though the capture’s answer is lost', async () => {
    const opened = await anOrder(lms)
    const faults: Fault[] = [{ route: 'POST /payments/:id/capture', kind: 'reset', commit: true }]
    await lms.razorpay.with({ drop: 'all', faults }, async () => {
      pay(lms, opened, { outcome: 'authorized' })
      lms.clock.advance(61)
      await lms.work()
    })
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    expect(await grantCount(lms, opened.buyer, opened.courseIds[0] ?? '')).toBe(1)
  })

  it('takes one captured in the dashboard meanwhile for captured', async () => {
    const opened = await anOrder(lms)
    lms.razorpay.with({ drop: 'all' }, () => {
      const { razorpay_payment_id: id } = pay(lms, opened, { outcome: 'authorized' })
      lms.razorpay.capture(id)
    })
    lms.clock.advance(61)
    await lms.work()
    expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(true)
  })

  it('whose checkout was signed with a key since replaced is settled without its signature', async () => {
    const opened = await anOrder(lms)
    const paid = payWithoutWebhooks(lms, opened)
    const forged = { ...paid, razorpay_signature: 'a'.repeat(64) }
    await refused(opened.buyer.api.orders.verify.mutate(forged), 'SIGNATURE_INVALID')
    lms.clock.advance(61)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })
})
