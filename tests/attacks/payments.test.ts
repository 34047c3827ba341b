import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent, anAdmin } from '../support/builders/people.ts'
import { aCourseId, anOrder, aSale, payWithoutWebhooks } from '../support/builders/orders.ts'
import { refused } from '../support/client.ts'
import { differences, stateOf } from '../support/digest.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms

beforeAll(async () => {
  lms = await startLms()
  const { api } = await anAdmin(lms)
  await api.coupons.create.mutate({ code: 'WORLD10', kind: 'PERCENT', value: 10 })
})

describe('a payment', () => {
  it('of one order opens no other, though both are the buyer’s', async () => {
    const buyer = await aStudent(lms)
    const cheap = await anOrder(lms, { buyer, pricePaise: 100 })
    const dear = await anOrder(lms, { buyer, pricePaise: 999_900 })
    const paid = payWithoutWebhooks(lms, cheap)
    await refused(
      buyer.api.orders.verify.mutate({ ...paid, orderId: dear.order.id }),
      'SIGNATURE_INVALID',
    )
    expect(await buyer.api.orders.get.query({ orderId: dear.order.id })).toMatchObject({
      status: 'CREATED',
    })
    expect((await buyer.api.enrollments.mine.query({})).items).toEqual([])
  })

  it('of another buyer opens nothing', async () => {
    const thief = await aStudent(lms)
    const mine = await anOrder(lms, { buyer: thief })
    const { buyer } = await aSale(lms)
    const [theirs] = (await buyer.api.orders.mine.query({})).items
    const stored = await lms.db.orm.orders.where({ _id: theirs?.id ?? '' }).first()
    await refused(
      thief.api.orders.verify.mutate({
        orderId: mine.order.id,
        razorpay_payment_id: stored?.paymentId ?? '',
        razorpay_order_id: stored?.gatewayOrderId ?? '',
        razorpay_signature: '0'.repeat(64),
      }),
      'SIGNATURE_INVALID',
    )
    expect((await thief.api.enrollments.mine.query({})).items).toEqual([])
  })

  it('that is true stays one, however often it is shown', async () => {
    const opened = await anOrder(lms)
    const paid = payWithoutWebhooks(lms, opened)
    const { api } = opened.buyer
    await api.orders.verify.mutate(paid)
    const before = await stateOf(lms)
    const again = await Promise.all(
      Array.from({ length: 20 }, () => api.orders.verify.mutate(paid)),
    )
    expect(new Set(again.map(({ status }) => status))).toEqual(new Set(['FULFILLED']))
    expect(differences(before, await stateOf(lms))).toEqual([])
  })

  it('is not forgotten by its order, however often a signature is forged for it', async () => {
    const { buyer, order, order_id, paymentId } = await aSale(lms)
    for (let n = 0; n < 70; n += 1) {
      await refused(
        buyer.api.orders.verify.mutate({
          orderId: order.id,
          razorpay_payment_id: paymentId,
          razorpay_order_id: order_id,
          razorpay_signature: n.toString(16).padStart(64, '0'),
        }),
        'SIGNATURE_INVALID',
      )
    }
    const { timeline } = await buyer.api.orders.get.query({ orderId: order.id })
    const events = timeline.map(({ event }) => event)
    expect(events).toContain('created')
    expect(events.filter((event) => event === 'signature refused')).toHaveLength(1)
  })
})

describe('a coupon', () => {
  it('is not guessed: after thirty wrong codes even a right one has to wait', async () => {
    const { api } = await aStudent(lms)
    const courseIds = [await aCourseId(lms)]
    for (let n = 0; n < 30; n += 1) {
      await refused(api.coupons.preview.query({ courseIds, code: `GUESS-${n}` }), 'COUPON_INVALID')
    }
    const right = { courseIds, code: 'WORLD10' }
    await refused(api.coupons.preview.query(right), 'TOO_MANY_REQUESTS')
    await refused(
      api.orders.create.mutate({ courseIds, couponCode: 'WORLD10' }),
      'TOO_MANY_REQUESTS',
    )
    const somebodyElse = await aStudent(lms)
    expect(await somebodyElse.api.coupons.preview.query(right)).toMatchObject({
      discountPaise: 4_990,
    })
    lms.clock.advance(15 * 60)
    expect(await api.coupons.preview.query(right)).toMatchObject({ discountPaise: 4_990 })
  })
})
