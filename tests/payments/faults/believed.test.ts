// Whatever a signed event says, it only makes us look: what the gateway has under its ids decides.
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { isDuplicateKey } from '../../../src/db.ts'
import { transitionOrder } from '../../../src/orders/transitions.ts'
import {
  anOrder,
  aSale,
  pay,
  payWithoutWebhooks,
  type Opened,
} from '../../support/builders/orders.ts'
import { anAdmin } from '../../support/builders/people.ts'
import { startLms, type Lms } from '../../support/harness.ts'
import {
  deliverWebhooks,
  expectSound,
  introduceAccount,
  isIn,
  statusOf,
} from '../../support/order-checks.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
  await introduceAccount(lms)
})
afterEach(async () => {
  await deliverWebhooks(lms)
  await expectSound(lms)
})

type Entity = Record<string, unknown>

const paymentOf = (id: string): Entity => ({ ...lms.razorpay.state.payments.get(id)?.payment })

let told = 0

/** A correctly signed event of whatever the test makes up; answers it as it was stored, and worked on. */
async function tell(name: string, entities: Record<string, Entity>) {
  told += 1
  const eventId = `made-up-${told}`
  const payload = Object.fromEntries(
    Object.entries(entities).map(([kind, entity]) => [kind, { entity }]),
  )
  await lms.razorpay.sendEvent({ name, eventId, payload })
  await deliverWebhooks(lms)
  return lms.db.orm.webhook_events.where({ eventId }).first()
}

async function seenAsStuck(): Promise<string> {
  const { api } = await anAdmin(lms)
  const { payments, events, refunds, unreadable } = await api.orders.stuck.query()
  return JSON.stringify({ payments, events, refunds, unreadable })
}

/** A payment that nobody ever made, of an order that is open. */
const madeUp = (opened: Opened, id: string): Entity => ({
  ...{ id, entity: 'payment', order_id: opened.order_id, status: 'captured', captured: true },
  ...{ amount: opened.order.amountPaise, currency: 'INR', method: 'upi', notes: [] },
  ...{ created_at: Date.parse('2017-05-01T00:00:00Z') / 1000 },
})

const DENIED = { state: 'DONE', outcome: 'denied by the gateway', attempts: 1 }

describe('a correctly signed event', () => {
  it('of a payment that Razorpay does not know opens nothing, and is closed with that word', async () => {
    const opened = await anOrder(lms)
    const payment = madeUp(opened, 'pay_NobodyMadeIt01')
    for (const name of ['payment.captured', 'order.paid'])
      expect(await tell(name, { payment })).toMatchObject(DENIED)
    expect(await statusOf(lms, opened)).toBe('CREATED')
    expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(false)
    expect(await seenAsStuck()).not.toContain('pay_NobodyMadeIt01')
    const known = lms.db.orm.payments.where({ gatewayPaymentId: 'pay_NobodyMadeIt01' })
    expect(await known.first()).toBeNull()
  })

  it('that says captured where Razorpay says authorized captures nothing', async () => {
    const opened = await anOrder(lms)
    const { razorpay_payment_id: id } = payWithoutWebhooks(lms, opened, { outcome: 'authorized' })
    const payment = { ...paymentOf(id), status: 'captured', captured: true }
    expect(await tell('payment.captured', { payment })).toMatchObject({ state: 'DONE' })
    expect(await statusOf(lms, opened)).toBe('CREATED')
    expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(false)
  })

  it.each([
    ['another amount', { amount: 100 }],
    ['another currency', { currency: 'USD' }],
    ['a refund of all', { status: 'refunded', amount_refunded: 49_900 }],
  ])('that tells %s of a payment than Razorpay does is not believed', async (_what, odd) => {
    const opened = await anOrder(lms)
    const { razorpay_payment_id: id } = payWithoutWebhooks(lms, opened)
    await tell('payment.captured', { payment: { ...paymentOf(id), ...odd } })
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(true)
  })

  it('that names the order of one buyer and the payment of another opens the payer’s alone', async () => {
    const [payer, other] = [await anOrder(lms), await anOrder(lms)]
    const { razorpay_payment_id: id } = payWithoutWebhooks(lms, payer)
    const payment = { ...paymentOf(id), order_id: other.order_id }
    await Promise.all([
      tell('payment.captured', { payment }),
      tell('payment.captured', { payment: paymentOf(id) }),
      tell('order.paid', { payment, order: { id: other.order_id, entity: 'order' } }),
    ])
    expect(await statusOf(lms, payer)).toBe('FULFILLED')
    expect(await statusOf(lms, other)).toBe('CREATED')
  })

  it('of a refund that Razorpay does not know takes nothing away, and is no alarm', async () => {
    const sale = await aSale(lms)
    const refund = {
      ...{ id: 'rfnd_NobodyMadeIt01', entity: 'refund', payment_id: sale.paymentId, notes: [] },
      ...{ amount: 49_900, currency: 'INR', status: 'processed', receipt: null },
      created_at: 1_768_471_200,
    }
    const payment = paymentOf(sale.paymentId)
    expect(await tell('refund.processed', { refund, payment })).toMatchObject(DENIED)
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(true)
    const stranger = { ...refund, id: 'rfnd_NobodyMadeIt02', payment_id: 'pay_NobodyMadeIt02' }
    const failed = { ...stranger, status: 'failed' }
    expect(await tell('refund.failed', { refund: failed })).toMatchObject(DENIED)
    expect(await seenAsStuck()).not.toContain('NobodyMadeIt')
  })

  it('of a refund tells of no other amount than was given back', async () => {
    const sale = await aSale(lms)
    const { id } = lms.razorpay.with({ drop: 'all' }, () =>
      lms.razorpay.refund(sale.paymentId, 5_000),
    )
    const refund = { ...lms.razorpay.state.refunds.get(id)?.refund, amount: 49_900 }
    await tell('refund.processed', { refund, payment: paymentOf(sale.paymentId) })
    const refunds = await lms.db.orm.refunds.where({ paymentId: sale.paymentId }).all()
    expect(refunds.map(({ amountPaise }) => amountPaise)).toEqual([5_000])
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(true)
  })

  it('of a dispute that is still open loses nothing', async () => {
    const sale = await aSale(lms)
    const { id } = lms.razorpay.openDispute({ paymentId: sale.paymentId })
    await deliverWebhooks(lms)
    const dispute = { ...lms.razorpay.state.disputes.get(id)?.dispute, status: 'lost' }
    await tell('payment.dispute.lost', { dispute, payment: paymentOf(sale.paymentId) })
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(true)
    const { isDisputed } = await sale.buyer.api.orders.get.query({ orderId: sale.order.id })
    expect(isDisputed).toBe(true)
  })

  it('waits while Razorpay is away, and is worked on when it is back', async () => {
    const opened = await anOrder(lms)
    const { razorpay_payment_id: id } = payWithoutWebhooks(lms, opened)
    const faults = [{ route: '*', kind: 'error', times: 1_000 } as const]
    const event = await lms.razorpay.with({ faults }, () =>
      tell('payment.captured', { payment: paymentOf(id) }),
    )
    expect(event).toMatchObject({ state: 'WAITING', attempts: 1 })
    expect(await statusOf(lms, opened)).toBe('CREATED')
    lms.clock.advance(11)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    const later = await lms.db.orm.webhook_events.where({ _id: event?._id ?? '' }).first()
    expect(later).toMatchObject({ state: 'DONE', outcome: 'fulfilled' })
  })

  it('is not taken for denied because of a refusal in other words', async () => {
    const opened = await anOrder(lms)
    const { razorpay_payment_id: id } = payWithoutWebhooks(lms, opened)
    const faults = [{ route: 'GET /payments/:id', kind: 'error', status: 400 } as const]
    const event = await lms.razorpay.with({ faults }, () =>
      tell('payment.captured', { payment: paymentOf(id) }),
    )
    expect(event).toMatchObject({ state: 'WAITING', attempts: 1 })
    lms.clock.advance(11)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })
})

describe('a payment', () => {
  it('pays for one order, though two are claimed with it at the same moment', async () => {
    const opened = [await anOrder(lms), await anOrder(lms), await anOrder(lms)]
    const claims = opened.map(({ order }) =>
      transitionOrder(lms.deps, {
        id: order.id,
        from: ['CREATED'],
        where: { paymentId: null },
        set: { status: 'REVIEW', reviewReason: 'claimed', paymentId: 'pay_OfThreeOrders1' },
        unset: ['openKey'],
        note: { event: 'claimed by a test' },
      }).catch((error: unknown) => (isDuplicateKey(error) ? 'beaten' : error)),
    )
    const outcomes = await Promise.all(claims)
    expect(outcomes.filter((outcome) => outcome === 'beaten')).toHaveLength(2)
    await lms.db.driver
      .collection('orders')
      .updateMany({ paymentId: 'pay_OfThreeOrders1' }, { $set: { paymentId: null } })
  })

  it('told of by the browser of two buyers at once opens its own order', async () => {
    const [payer, other] = [await anOrder(lms), await anOrder(lms)]
    const paid = pay(lms, payer)
    await Promise.allSettled([
      other.buyer.api.orders.verify.mutate({ ...paid, orderId: other.order.id }),
      payer.buyer.api.orders.verify.mutate(paid),
    ])
    expect(await statusOf(lms, payer)).toBe('FULFILLED')
    expect(await statusOf(lms, other)).toBe('CREATED')
  })
})
