import { beforeAll, describe, expect, it } from 'vitest'
import { aSale, type Sale } from '../support/builders/orders.ts'
import { anAdmin } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { deliverWebhooks, expectSound, isIn } from '../support/order-checks.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

async function aDispute() {
  const sale = await aSale(lms)
  const { id } = lms.razorpay.openDispute({ paymentId: sale.paymentId })
  await deliverWebhooks(lms)
  return { ...sale, disputeId: id, courseId: sale.courseIds[0] ?? '' }
}

const isDisputed = async ({ buyer, order }: Sale) =>
  (await buyer.api.orders.get.query({ orderId: order.id })).isDisputed

describe('a dispute', () => {
  it('is flagged on the order and leaves access while the bank thinks', async () => {
    const sale = await aDispute()
    expect(await isDisputed(sale)).toBe(true)
    lms.razorpay.moveDispute(sale.disputeId, 'under_review')
    await deliverWebhooks(lms)
    expect(await isDisputed(sale)).toBe(true)
    expect(await isIn(sale.buyer, sale.courseId)).toBe(true)
    await expectSound(lms)
  })

  it('that is lost ends access', async () => {
    const sale = await aDispute()
    lms.razorpay.moveDispute(sale.disputeId, 'lost')
    await deliverWebhooks(lms)
    expect(await isIn(sale.buyer, sale.courseId)).toBe(false)
    expect(await isDisputed(sale)).toBe(false)
    await expectSound(lms)
  })

  it.each(['won', 'closed'] as const)('that is %s leaves the course open', async (move) => {
    const sale = await aDispute()
    lms.razorpay.moveDispute(sale.disputeId, move)
    await deliverWebhooks(lms)
    expect([await isIn(sale.buyer, sale.courseId), await isDisputed(sale)]).toEqual([true, false])
    await expectSound(lms)
  })

  it('whose events come late and in the wrong order ends as the bank decided', async () => {
    const sale = await aSale(lms)
    lms.razorpay.with({ hold: true }, () => {
      const { id } = lms.razorpay.openDispute({ paymentId: sale.paymentId })
      lms.razorpay.moveDispute(id, 'lost')
    })
    lms.clock.advance(5)
    await lms.razorpay.release('reversed')
    await deliverWebhooks(lms)
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(false)
    await expectSound(lms)
  })

  it('of which no event came is found in the list', async () => {
    const sale = await lms.razorpay.with({ drop: 'all' }, async () => {
      const disputed = await aDispute()
      lms.razorpay.moveDispute(disputed.disputeId, 'lost')
      return disputed
    })
    lms.clock.advance(310)
    await lms.work()
    expect(await isIn(sale.buyer, sale.courseId)).toBe(false)
    await expectSound(lms)
  })

  it('that is lost forbids a refund: the bank gave the money back', async () => {
    const sale = await aDispute()
    lms.razorpay.moveDispute(sale.disputeId, 'lost')
    await deliverWebhooks(lms)
    const { api } = await anAdmin(lms)
    await refused(api.refunds.create.mutate({ orderId: sale.order.id }), 'REFUND_DISPUTED')
    const own = { orderId: sale.order.id, courseId: sale.courseId }
    await refused(sale.buyer.api.orders.requestRefund.mutate(own), 'REFUND_DISPUTED')
    expect(await lms.db.orm.refunds.where({ orderId: sale.order.id }).all()).toEqual([])
    await expectSound(lms)
  })

  it('forbids a refund while it is open', async () => {
    const sale = await aDispute()
    const { api } = await anAdmin(lms)
    await refused(api.refunds.create.mutate({ orderId: sale.order.id }), 'REFUND_DISPUTED')
    const own = { orderId: sale.order.id, courseId: sale.courseId }
    await refused(sale.buyer.api.orders.requestRefund.mutate(own), 'REFUND_DISPUTED')
    lms.razorpay.moveDispute(sale.disputeId, 'won')
    await deliverWebhooks(lms)
    expect((await api.refunds.create.mutate({ orderId: sale.order.id })).status).toBe('PROCESSED')
    await deliverWebhooks(lms)
    await expectSound(lms)
  })
})
