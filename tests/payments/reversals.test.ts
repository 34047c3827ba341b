import { beforeAll, describe, expect, it } from 'vitest'
import {
  aCourseId,
  anOrder,
  aSale,
  pay,
  payWithoutWebhooks,
  type Opened,
} from '../support/builders/orders.ts'
import { aStudent } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'
import {
  deliverWebhooks,
  expectSound,
  isIn,
  statusOf,
  writePaymentDown,
} from '../support/order-checks.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const DAY = 24 * 3_600

const paymentOf = async (id: string) =>
  (await lms.db.orm.payments.where({ gatewayPaymentId: id }).first())?.status

async function isOpen({ buyer, courseIds }: Opened): Promise<boolean> {
  return isIn(buyer, courseIds[0] ?? '')
}

/** Gives a whole payment back in the dashboard; the bank has not said yes yet. */
function refundPending(paymentId: string): string {
  return lms.razorpay.with({ refunds: 'pending' }, () => lms.razorpay.refund(paymentId)).id
}

describe('a whole refund that fails', () => {
  it('leaves the payment captured and the course open', async () => {
    const sale = await aSale(lms)
    const refundId = refundPending(sale.paymentId)
    await deliverWebhooks(lms)
    expect([await paymentOf(sale.paymentId), await isOpen(sale)]).toEqual(['refunded', false])
    lms.razorpay.settleRefund(refundId, 'failed')
    await deliverWebhooks(lms)
    expect([await paymentOf(sale.paymentId), await isOpen(sale)]).toEqual(['captured', true])
    await expectSound(lms)
  })

  it('opens the course even where nothing was heard before the refund', async () => {
    const opened = await anOrder(lms)
    const { razorpay_payment_id: paymentId } = payWithoutWebhooks(lms, opened)
    const refundId = refundPending(paymentId)
    await deliverWebhooks(lms)
    expect(await paymentOf(paymentId)).toBe('refunded')
    lms.razorpay.settleRefund(refundId, 'failed')
    await deliverWebhooks(lms)
    expect([await paymentOf(paymentId), await statusOf(lms, opened)]).toEqual([
      'captured',
      'FULFILLED',
    ])
    expect(await isOpen(opened)).toBe(true)
    await expectSound(lms)
  })

  it('is not undone by an older event of the same refund', async () => {
    const opened = await anOrder(lms)
    // The authorization that Razorpay gives back itself, since the order is paid by another.
    const late = lms.razorpay.pay(opened.order_id, { outcome: 'late' }).payment?.id ?? ''
    pay(lms, opened)
    lms.razorpay.with({ refunds: 'pending', hold: true }, () => lms.razorpay.authorizeLate(late))
    const refund = [...lms.razorpay.state.refunds.values()].find(
      (row) => row.refund.payment_id === late,
    )
    lms.razorpay.settleRefund(refund?.refund.id ?? '', 'failed')
    await deliverWebhooks(lms)
    await lms.razorpay.release()
    await deliverWebhooks(lms)
    expect(await paymentOf(late)).toBe('authorized')
    await expectSound(lms)
  })
})

describe('an order nobody paid rightly', () => {
  it('expires over an authorization of another amount', async () => {
    const opened = await anOrder(lms)
    pay(lms, opened, { outcome: 'authorized', amount: 100 })
    await deliverWebhooks(lms)
    lms.clock.advance(2 * 3_600)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('EXPIRED')
    await expectSound(lms)
  })

  it('expires even when nobody looked for more than a week', async () => {
    const buyer = await aStudent(lms)
    const opened = await anOrder(lms, { buyer, courseIds: [await aCourseId(lms)] })
    lms.clock.advance(9 * DAY)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('EXPIRED')
  })
})

describe('a payment written down by a server that died right after', () => {
  it('is settled though its order is paid by another', async () => {
    const sale = await aSale(lms)
    const { razorpay_payment_id: twin } = payWithoutWebhooks(lms, sale, { force: true })
    lms.clock.advance(3 * 3_600)
    // The lists are read past the payment before it is written down: they lead nobody to it any more.
    await lms.razorpay.with({ listLagMs: DAY * 1_000 }, lms.work)
    await writePaymentDown(lms, sale, twin)
    await lms.work()
    const [refund] = await lms.db.orm.refunds.where({ paymentId: twin }).all()
    expect(refund?.status).toBe('PROCESSED')
    await expectSound(lms)
  })
})
