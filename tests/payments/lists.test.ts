import { beforeEach, describe, expect, it } from 'vitest'
import type { Fault } from '../../sandbox/razorpay/api/faults.ts'
import { anOrder, aSale, pay } from '../support/builders/orders.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { isIn, ledgerOf } from '../support/order-checks.ts'

// The lists are Razorpay's whole account: each test has one of its own.
let lms: Lms
beforeEach(async () => {
  lms = await startLms()
  lms.razorpay.webhooks.drop = 'all'
})

async function readAgain(): Promise<void> {
  lms.clock.advance(310)
  await lms.work()
}

async function aLostDispute() {
  const sale = await aSale(lms)
  const dispute = lms.razorpay.openDispute({ paymentId: sale.paymentId })
  lms.razorpay.moveDispute(dispute.id, 'lost')
  return { sale, dispute }
}

const paymentRow = (id: string) => lms.razorpay.state.payments.get(id)

describe('the reading of Razorpay’s lists', () => {
  it.each([
    ['an amount beyond any of ours', { amount: 2_500_000_000 }],
    ['a status nobody knows', { status: 'mystery' }],
  ])('is not stopped by another product’s payment with %s', async (_what, odd) => {
    const { sale } = await aLostDispute()
    const other = pay(lms, await anOrder(lms)).razorpay_payment_id
    Object.assign(paymentRow(other)?.payment ?? {}, { order_id: null, ...odd })
    await readAgain()
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(false)
    expect(lms.logs().join()).toContain('holds what is not readable')
  })

  it('is not cut off, however many there are', async () => {
    const sale = await aSale(lms)
    const twin = pay(lms, sale, { force: true }).razorpay_payment_id
    const model = paymentRow(sale.paymentId)
    if (!model) throw new Error('no payment')
    for (let n = 0; n < 1_100; n += 1) {
      const id = `pay_${String(n).padStart(14, 'B')}`
      const payment = { ...model.payment, id, status: 'failed' as const, order_id: null }
      lms.razorpay.state.payments.set(id, { ...model, payment })
    }
    await readAgain()
    const refunds = await lms.db.orm.refunds.where({ paymentId: twin }).all()
    expect(refunds).toMatchObject([{ amountPaise: 49_900, cause: 'duplicate' }])
  })

  it('goes on with a dispute whose finder died over it', async () => {
    const { sale, dispute } = await aLostDispute()
    const at = lms.clock.now()
    await lms.db.orm.disputes.create({
      gateway: 'razorpay',
      ...{ gatewayDisputeId: dispute.id, paymentId: sale.paymentId, orderId: sale.order.id },
      ...{ status: 'lost', phase: 'chargeback', amountPaise: 49_900, currency: 'INR' },
      ...{ reasonCode: null, respondBy: null, settledAt: null, createdAt: at, updatedAt: at },
    })
    await readAgain()
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(false)
  })

  it('takes in a dispute without a date to answer by', async () => {
    const { sale, dispute } = await aLostDispute()
    const row = lms.razorpay.state.disputes.get(dispute.id)
    Object.assign(row?.dispute ?? {}, { respond_by: null, reason_code: null })
    await readAgain()
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(false)
  })

  it('finds a refund of a payment that nothing else would look at', async () => {
    const sale = await aSale(lms)
    await readAgain()
    lms.clock.advance(9 * 24 * 3_600)
    await lms.work()
    lms.razorpay.refund(sale.paymentId)
    await readAgain()
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(false)
  })

  it('passes over a refund whose payment is not to be had, and reads on', async () => {
    const sale = await aSale(lms)
    await readAgain()
    lms.clock.advance(9 * 24 * 3_600)
    await lms.work()
    const { id } = lms.razorpay.refund(sale.paymentId)
    const model = lms.razorpay.state.refunds.get(id)
    if (!model) throw new Error('no refund')
    const odd = { ...model.refund, id: 'rfnd_OfNoPayment001', payment_id: 'pay_NotToBeHad0001' }
    lms.razorpay.state.refunds.set(odd.id, { ...model, refund: odd })
    await readAgain()
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(false)
    expect(lms.logs().join()).toContain('a listed record was passed over')
  })

  it('reads disputes and refunds even when the list of payments fails', async () => {
    const { sale } = await aLostDispute()
    const faults: Fault[] = [{ route: 'GET /payments', kind: 'garbage', times: 50 }]
    await lms.razorpay.with({ faults }, readAgain)
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(false)
  })

  it('gives a second payment back whole, also what an administrator left of it', async () => {
    const sale = await aSale(lms)
    const twin = pay(lms, sale, { force: true }).razorpay_payment_id
    lms.razorpay.refund(twin, 100)
    await readAgain()
    await readAgain()
    expect(ledgerOf(lms, twin)).toMatchObject({ refunded: 49_900 })
  })
})
