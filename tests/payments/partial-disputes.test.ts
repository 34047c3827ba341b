// What a bank takes by a lost dispute is an amount, as a refund is: amounts decide what ends and what is left.
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { aCourseId, aSale, lineOf, type Sale } from '../support/builders/orders.ts'
import { anAdmin } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { deliverWebhooks, expectSound, isIn, ledgerOf } from '../support/order-checks.ts'
import {
  aSale as aMemorySale,
  expectSoundBooks,
  settle,
  startMemoryLms,
} from '../support/memory-gateway/lms.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})
afterEach(async () => {
  await deliverWebhooks(lms)
  await expectSound(lms)
})

/** Three courses, for 300, 200 and 100 rupees, paid and fulfilled. */
async function aSaleOfThree(): Promise<Sale> {
  const prices = [30_000, 20_000, 10_000]
  return aSale(lms, { courseIds: await Promise.all(prices.map((price) => aCourseId(lms, price))) })
}

async function lose(sale: Sale, amount?: number, deducted?: number): Promise<void> {
  const { id } = lms.razorpay.openDispute({ paymentId: sale.paymentId, amount })
  lms.razorpay.moveDispute(id, 'lost', deducted)
  await deliverWebhooks(lms)
}

const open = (sale: Sale) =>
  Promise.all(
    [30_000, 20_000, 10_000].map((price) => isIn(sale.buyer, lineOf(sale, price).courseId)),
  )

describe('a lost dispute', () => {
  it.each([
    ['of a rupee', 100],
    ['of one course’s amount', 20_000],
    ['of all but a rupee', 59_900],
  ])('%s closes no course, and leaves the rest to be refunded', async (_what, amount) => {
    const sale = await aSaleOfThree()
    await lose(sale, amount)
    expect(await open(sale)).toEqual([true, true, true])
    const { api } = await anAdmin(lms)
    const orderId = sale.order.id
    const tooMuch = { orderId, amountPaise: 60_001 - amount }
    await refused(api.refunds.create.mutate(tooMuch), 'REFUND_TOO_LARGE')
    const refund = await api.refunds.create.mutate({ orderId })
    expect(refund).toMatchObject({ status: 'PROCESSED', amountPaise: 60_000 - amount })
    expect(await open(sale)).toEqual([false, false, false])
    await refused(api.refunds.create.mutate({ orderId, amountPaise: 100 }), 'REFUND_DISPUTED')
  })

  it('takes what was deducted, where that is less than was disputed', async () => {
    const sale = await aSaleOfThree()
    await lose(sale, 60_000, 15_000)
    expect(await open(sale)).toEqual([true, true, true])
    const { api } = await anAdmin(lms)
    const refund = await api.refunds.create.mutate({ orderId: sale.order.id })
    expect(refund.amountPaise).toBe(45_000)
  })

  it('of the whole closes every course and leaves nothing to refund', async () => {
    const sale = await aSaleOfThree()
    await lose(sale)
    expect(await open(sale)).toEqual([false, false, false])
    const { api } = await anAdmin(lms)
    await refused(api.refunds.create.mutate({ orderId: sale.order.id }), 'REFUND_DISPUTED')
  })

  it('with another makes the whole, and so does one with a refund', async () => {
    const [disputed, refunded] = [await aSaleOfThree(), await aSaleOfThree()]
    await lose(disputed, 40_000)
    expect(await open(disputed)).toEqual([true, true, true])
    await lose(disputed, 20_000)
    expect(await open(disputed)).toEqual([false, false, false])
    const { api } = await anAdmin(lms)
    const line = lineOf(refunded, 30_000).no
    await api.refunds.create.mutate({ orderId: refunded.order.id, lines: [line] })
    await lose(refunded, 20_000)
    expect(await open(refunded)).toEqual([false, true, true])
    await lose(refunded, 10_000)
    expect(await open(refunded)).toEqual([false, false, false])
  })

  it('of a part lets its buyer have a course’s money back, as far as it is left', async () => {
    const sale = await aSaleOfThree()
    await lose(sale, 45_000)
    const own = { orderId: sale.order.id, courseId: lineOf(sale, 20_000).courseId }
    expect(await sale.buyer.api.orders.requestRefund.mutate(own)).toMatchObject({
      amountPaise: 15_000,
    })
    expect(await open(sale)).toEqual([false, false, false])
    expect(ledgerOf(lms, sale.paymentId)).toMatchObject({ refunded: 15_000 })
  })

  it('and refunds asked for at the same moment never give back more than there is', async () => {
    const sale = await aSaleOfThree()
    const { api } = await anAdmin(lms)
    const ids = [35_000, 10_000].map(
      (amount) => lms.razorpay.openDispute({ paymentId: sale.paymentId, amount }).id,
    )
    await deliverWebhooks(lms)
    lms.razorpay.with({ copies: 2 }, () => {
      for (const id of ids) lms.razorpay.moveDispute(id, 'lost')
    })
    const ask = (amountPaise: number) =>
      api.refunds.create.mutate({ orderId: sale.order.id, amountPaise }).catch(() => null)
    await Promise.all([deliverWebhooks(lms), ask(10_000), ask(11_000), ask(12_000), ask(14_000)])
    await deliverWebhooks(lms)
    await Promise.all([ask(15_000), ask(15_001), ask(9_000)])
    const payment = await lms.db.orm.payments.where({ gatewayPaymentId: sale.paymentId }).first()
    expect(payment?.lostPaise).toBe(45_000)
    expect(payment?.reservedPaise).toBeLessThanOrEqual(15_000)
    expect(ledgerOf(lms, sale.paymentId)?.refunded).toBe(payment?.reservedPaise)
  })

  it('counts with its amount in the earnings and the figures', async () => {
    const { api } = await anAdmin(lms)
    const before = (await api.admin.stats.query()).revenue
    const sale = await aSaleOfThree()
    await lose(sale, 6_000)
    const { revenue } = await api.admin.stats.query()
    expect(revenue.grossPaise - before.grossPaise).toBe(60_000)
    expect(revenue.refundPaise - before.refundPaise).toBe(6_000)
    const courseId = lineOf(sale, 30_000).courseId
    const [earned] = await api.earnings.byInstructor.query({ courseId })
    expect(earned).toMatchObject({ grossPaise: 30_000, refundPaise: 3_000 })
  })

  it('of a part at another gateway is no different', async () => {
    const memory = await startMemoryLms()
    const sale = await aMemorySale(memory)
    const { id } = memory.bank.fileClaim(sale.paymentId, 20_000)
    memory.bank.moveClaim(id, 'upheld')
    await settle(memory)
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(true)
    const { api } = await anAdmin(memory)
    const refund = await api.refunds.create.mutate({ orderId: sale.order.id })
    expect(refund.amountPaise).toBe(29_900)
    memory.bank.sendReturns()
    await settle(memory)
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(false)
    await expectSoundBooks(memory)
  })
})

describe('the invariants', () => {
  it('see courses closed for a part, and money held back that no bank took', async () => {
    const sale = await aSaleOfThree()
    await lose(sale, 100)
    const { api } = await anAdmin(lms)
    const found = () => api.admin.invariants.query({ graceSeconds: 0 })
    const grants = lms.db.driver.collection('enrollments')
    const at = lms.clock.now()
    const mine = { 'grants.orderId': sale.order.id }
    const close = { 'grants.$[].revokedAt': at, 'grants.$[].reason': 'dispute lost' }
    await grants.updateMany(mine, { $set: close })
    expect((await found()).map(({ detail }) => detail).sort()).toEqual([
      'line 1 is not open',
      'line 2 is not open',
      'line 3 is not open',
    ])
    await grants.updateMany(mine, { $set: { 'grants.$[].revokedAt': null } })
    const payment = lms.db.orm.payments.where({ gatewayPaymentId: sale.paymentId })
    await payment.update({ lostPaise: null })
    expect(await found()).toMatchObject([{ detail: '0 paise held back for what banks took' }])
    await payment.update({ lostPaise: 100 })
  })
})
