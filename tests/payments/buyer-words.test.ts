import { beforeAll, describe, expect, it } from 'vitest'
import { aSale, type Sale } from '../support/builders/orders.ts'
import { anAdmin, type Person } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
let admin: Person
beforeAll(async () => {
  lms = await startLms()
  admin = await anAdmin(lms)
})

const read = (reader: Person, { order }: Sale) => reader.api.orders.get.query({ orderId: order.id })

describe('what a buyer reads of a payment', () => {
  it('has no word of the gateway’s where a refund waits; an administrator reads them', async () => {
    const sale = await aSale(lms)
    await lms.razorpay.with({ balancePaise: 0 }, () =>
      admin.api.refunds.create.mutate({
        orderId: sale.order.id,
        reason: 'asked for',
        idempotencyKey: 'buyer-words-balance',
      }),
    )
    const [theirs, ours] = [await read(sale.buyer, sale), await read(admin, sale)]
    expect(ours.refunds[0]?.error).toMatch(/balance/)
    expect(JSON.stringify(theirs)).not.toMatch(/balance|HTTP|Razorpay|BAD_REQUEST/i)
    expect(theirs.refunds[0]?.error).toMatch(/takes longer than usual/)
    expect(theirs.refunds[0]?.status).toBe(ours.refunds[0]?.status)
    expect(theirs.timeline.map(({ event }) => event)).toEqual(
      ours.timeline.map(({ event }) => event),
    )
  })

  it('is none of a refusal of the refund they asked for themselves', async () => {
    const sale = await aSale(lms)
    const [courseId = ''] = sale.courseIds
    const refund = await lms.razorpay.with({ balancePaise: 0 }, () =>
      sale.buyer.api.orders.requestRefund.mutate({ orderId: sale.order.id, courseId }),
    )
    expect(refund.error).toMatch(/takes longer than usual/)
  })

  it('is nothing of what nobody has put into words for them, whatever the event', async () => {
    const sale = await aSale(lms)
    const says = (event: string) => ({
      at: new Date(),
      event,
      detail: 'GATEWAY_ERROR: Your account is not enabled for this',
    })
    const events = ['refund failed', 'payment failed', 'set aside', 'dispute x', 'something new']
    await lms.db.orm.orders.where({ _id: sale.order.id }).update({
      timeline: events.map(says),
      reviewReason: 'GATEWAY_ERROR: amount mismatch',
    })
    const theirs = await read(sale.buyer, sale)
    expect(JSON.stringify(theirs)).not.toMatch(/GATEWAY_ERROR|not enabled|mismatch/)
    expect(theirs.timeline.map(({ event }) => event)).toEqual([
      'refund failed',
      'payment failed',
      'set aside',
      'dispute',
      'something new',
    ])
    expect(theirs.timeline.at(-1)?.detail).toBeNull()
    expect(theirs.timeline[0]?.detail).toMatch(/looking into it/)
    const ours = await read(admin, sale)
    expect(ours.timeline[0]?.detail).toMatch(/not enabled/)
    expect(ours.reviewReason).toMatch(/mismatch/)
  })
})
