// Amounts that the gateway's own fields explain, and those that only an administrator can.
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  anOrder,
  aCourseId,
  pay,
  payWithoutWebhooks,
  type Opened,
} from '../support/builders/orders.ts'
import { anAdmin, type Person } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import {
  deliverWebhooks,
  expectSound,
  introduceAccount,
  isIn,
  ledgerOf,
  statusOf,
} from '../support/order-checks.ts'
import {
  expectSoundBooks,
  settle as settleMemory,
  startMemoryLms,
} from '../support/memory-gateway/lms.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
  await introduceAccount(lms)
})
afterEach(async () => {
  Object.assign(lms.razorpay.settings, {
    ...{ feeBearer: 'platform', captures: 'order', autoCapture: true, refunds: 'processed' },
  })
  await deliverWebhooks(lms)
  await expectSound(lms)
})

/** Pays what the fields say, whoever made them up. */
function payOddly(opened: Opened, odd: Record<string, unknown>): string {
  const { razorpay_payment_id: id } = payWithoutWebhooks(lms, opened)
  Object.assign(lms.razorpay.state.payments.get(id)?.payment ?? {}, odd)
  return id
}

async function swept(opened: Opened): Promise<string> {
  lms.clock.advance(61)
  await lms.work()
  return statusOf(lms, opened)
}

const onTop = { amount: 51_080, fee: 1_180, tax: 180 }

describe('a fee that the customer bears', () => {
  it.each([
    ['who bears it', { ...onTop, fee_bearer: 'customer' }],
    ['nothing but the fee', onTop],
    [
      'the customer’s share of it',
      { amount: 50_490, fee: 1_180, customer_fee: 500, customer_fee_gst: 90 },
    ],
  ])('leaves the order paid where Razorpay tells %s', async (_what, odd) => {
    const opened = await anOrder(lms)
    const id = payOddly(opened, odd)
    expect(await swept(opened)).toBe('FULFILLED')
    const payment = await lms.db.orm.payments.where({ gatewayPaymentId: id }).first()
    expect(payment).toMatchObject({ amountPaise: odd.amount, feePaise: odd.amount - 49_900 })
  })

  it.each([
    ['says that the merchant bears it', { ...onTop, fee_bearer: 'platform' }],
    ['is another one', { ...onTop, fee: 1_000, fee_bearer: 'customer' }],
    ['is not to be read', { ...onTop, fee: '1180' }],
    ['would make the order cheaper', { amount: 48_720, fee: 1_180, fee_bearer: 'customer' }],
  ])('explains nothing where it %s', async (_what, odd) => {
    const opened = await anOrder(lms)
    payOddly(opened, odd)
    expect(await swept(opened)).toBe('REVIEW')
    expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(false)
  })

  it('is told by webhooks and verify alike, and is no earning', async () => {
    lms.razorpay.settings.feeBearer = 'customer'
    const { api } = await anAdmin(lms)
    const before = (await api.admin.stats.query()).revenue.grossPaise
    const [heard, shown] = [await anOrder(lms), await anOrder(lms)]
    const { razorpay_payment_id: id } = pay(lms, heard)
    expect(ledgerOf(lms, id)?.amount).toBe(51_078)
    await deliverWebhooks(lms)
    expect(await statusOf(lms, heard)).toBe('FULFILLED')
    const paid = payWithoutWebhooks(lms, shown)
    expect((await shown.buyer.api.orders.verify.mutate(paid)).status).toBe('FULFILLED')
    const after = (await api.admin.stats.query()).revenue.grossPaise
    expect(after - before).toBe(2 * 49_900)
  })

  it.each(['order', 'authorized'] as const)(
    'does not keep what is authorized from being captured, where Razorpay wants the amount of the %s',
    async (captures) => {
      Object.assign(lms.razorpay.settings, { feeBearer: 'customer', captures, autoCapture: false })
      const opened = await anOrder(lms)
      const { razorpay_payment_id: id } = payWithoutWebhooks(lms, opened)
      await swept(opened)
      expect(await swept(opened)).toBe('FULFILLED')
      expect(ledgerOf(lms, id)).toMatchObject({ captured: true, amount: 51_078 })
    },
  )

  it('stays with Razorpay when the order is given back, whole or in parts', async () => {
    lms.razorpay.settings.feeBearer = 'customer'
    const [whole, parts] = [await anOrder(lms), await anOrder(lms)]
    const ids = [whole, parts].map((opened) => pay(lms, opened).razorpay_payment_id)
    await deliverWebhooks(lms)
    const { api } = await anAdmin(lms)
    const refund = await api.refunds.create.mutate({ orderId: whole.order.id })
    expect(refund).toMatchObject({ status: 'PROCESSED', amountPaise: 49_900 })
    const orderId = parts.order.id
    await api.refunds.create.mutate({ orderId, amountPaise: 40_000 })
    await refused(api.refunds.create.mutate({ orderId, amountPaise: 9_901 }), 'REFUND_TOO_LARGE')
    expect(await isIn(parts.buyer, parts.courseIds[0] ?? '')).toBe(true)
    await api.refunds.create.mutate({ orderId, amountPaise: 9_900 })
    for (const { buyer, courseIds } of [whole, parts])
      expect(await isIn(buyer, courseIds[0] ?? '')).toBe(false)
    for (const id of ids) {
      expect(ledgerOf(lms, id)).toMatchObject({ refunded: 49_900 })
      const payment = await lms.db.orm.payments.where({ gatewayPaymentId: id }).first()
      expect(payment?.status).toBe('refunded')
    }
  })

  it('is no different at another gateway', async () => {
    const memory = await startMemoryLms()
    const opened = await anOrder(memory)
    memory.bank.pay(opened.order_id, { feePaise: 1_180 })
    await settleMemory(memory)
    expect(await statusOf(memory, opened)).toBe('FULFILLED')
    const { api } = await anAdmin(memory)
    const refund = await api.refunds.create.mutate({ orderId: opened.order.id })
    expect(refund.amountPaise).toBe(49_900)
    memory.bank.sendReturns()
    await settleMemory(memory)
    expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(false)
    await expectSoundBooks(memory)
  })
})

type Reviewed = Opened & { paymentId: string; admin: Person }

/** An order whose payment is of another amount. */
async function reviewed(
  amount: number,
  cart: Parameters<typeof anOrder>[1] = {},
): Promise<Reviewed> {
  const opened = await anOrder(lms, cart)
  const { razorpay_payment_id: paymentId } = pay(lms, opened, { amount })
  await deliverWebhooks(lms)
  expect(await statusOf(lms, opened)).toBe('REVIEW')
  return { ...opened, paymentId, admin: await anAdmin(lms) }
}

const decision = ({ order }: Reviewed) => ({ orderId: order.id, reason: 'the bank explained it' })

describe('an administrator', () => {
  it.each([49_000, 50_500])(
    'may accept a payment of %i paise for 49,900, with a reason',
    async (amount) => {
      const sale = await reviewed(amount)
      const { orders, admin, refunds } = sale.admin.api
      const accepted = await orders.acceptReview.mutate(decision(sale))
      expect(accepted).toMatchObject({ status: 'FULFILLED', paymentId: sale.paymentId })
      expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(true)
      const { items } = await admin.audit.query({ target: `order:${sale.order.id}` })
      expect(items[0]).toMatchObject({
        act: 'orders.review-accepted',
        after: { amountPaise: amount, reason: 'the bank explained it' },
      })
      expect((await orders.stuck.query()).payments.map(({ paymentId }) => paymentId)).not.toContain(
        sale.paymentId,
      )
      // What was paid is what can be given back, and all of it ends the access.
      const refund = await refunds.create.mutate({ orderId: sale.order.id })
      expect(refund.amountPaise).toBe(amount)
      expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(false)
    },
  )

  it('may send it back, and the order is closed when it has gone', async () => {
    const sale = await reviewed(100)
    lms.razorpay.settings.refunds = 'pending'
    const returned = await sale.admin.api.orders.returnReview.mutate(decision(sale))
    expect(returned.refunds).toMatchObject([{ amountPaise: 100, cause: 'review' }])
    const again = await sale.admin.api.orders.returnReview.mutate(decision(sale))
    expect(again.refunds).toHaveLength(1)
    await refused(sale.admin.api.orders.acceptReview.mutate(decision(sale)), 'CHANGED_MEANWHILE')
    const [refund] = ledgerOf(lms, sale.paymentId)?.refunds ?? []
    lms.razorpay.settleRefund(refund?.id ?? '', 'processed')
    await deliverWebhooks(lms)
    expect(await statusOf(lms, sale)).toBe('EXPIRED')
    expect(ledgerOf(lms, sale.paymentId)).toMatchObject({ refunded: 100 })
  })

  it('decides anew when what was to be sent back has failed', async () => {
    const sale = await reviewed(49_000)
    lms.razorpay.settings.refunds = 'failed'
    await sale.admin.api.orders.returnReview.mutate(decision(sale))
    await deliverWebhooks(lms)
    expect(await statusOf(lms, sale)).toBe('REVIEW')
    const accepted = await sale.admin.api.orders.acceptReview.mutate(decision(sale))
    expect(accepted.status).toBe('FULFILLED')
  })

  it('needs a recent password, a reason, and a payment that waits for it', async () => {
    const sale = await reviewed(49_000)
    const { orders } = sale.admin.api
    const { orderId } = decision(sale)
    const noReason = { orderId } as ReturnType<typeof decision>
    await refused(orders.acceptReview.mutate(noReason), 'INVALID_INPUT')
    await refused(orders.acceptReview.mutate({ orderId, reason: ' ' }), 'INVALID_INPUT')
    await refused(
      orders.acceptReview.mutate({ ...decision(sale), paymentId: 'pay_OfNobodyHere01' }),
      'NOT_FOUND',
    )
    const open = await anOrder(lms)
    const other = { orderId: open.order.id, reason: 'why not' }
    await refused(orders.acceptReview.mutate(other), 'NOT_IN_REVIEW')
    await refused(orders.returnReview.mutate(other), 'NOT_IN_REVIEW')
    await refused(sale.buyer.api.orders.acceptReview.mutate(decision(sale)), 'FORBIDDEN')
    lms.clock.advance(11 * 60)
    await refused(orders.acceptReview.mutate(decision(sale)), 'PASSWORD_NEEDED')
    await refused(orders.returnReview.mutate(decision(sale)), 'PASSWORD_NEEDED')
    expect(await statusOf(lms, sale)).toBe('REVIEW')
  })

  it('can only send back what was paid in another currency', async () => {
    const opened = await anOrder(lms)
    pay(lms, opened, { currency: 'USD' })
    await deliverWebhooks(lms)
    const { api } = await anAdmin(lms)
    const input = { orderId: opened.order.id, reason: 'abroad' }
    await refused(api.orders.acceptReview.mutate(input), 'INVALID_INPUT')
    await api.orders.returnReview.mutate(input)
    await deliverWebhooks(lms)
    expect(await statusOf(lms, opened)).toBe('EXPIRED')
  })

  it('says which, where two payments were set aside', async () => {
    const sale = await reviewed(100)
    const { razorpay_payment_id: second } = pay(lms, sale, { amount: 49_000, force: true })
    await deliverWebhooks(lms)
    const { orders } = sale.admin.api
    await refused(orders.acceptReview.mutate(decision(sale)), 'INVALID_INPUT')
    const accepted = await orders.acceptReview.mutate({ ...decision(sale), paymentId: second })
    expect(accepted).toMatchObject({ status: 'FULFILLED', paymentId: second })
  })

  it('and another one, deciding at once, are told apart: one write decides', async () => {
    for (const isRefunded of [false, true]) {
      const sale = await reviewed(49_000, { courseIds: [await aCourseId(lms)] })
      const { orders, refunds } = sale.admin.api
      const other = (await anAdmin(lms)).api
      const outcomes = await Promise.allSettled([
        orders.acceptReview.mutate(decision(sale)),
        other.orders.returnReview.mutate(decision(sale)),
        orders.redrive.mutate({ orderId: sale.order.id }),
        ...(isRefunded
          ? [refunds.create.mutate({ orderId: sale.order.id, paymentId: sale.paymentId })]
          : []),
      ])
      const [accepted, returned] = outcomes.map(({ status }) => status === 'fulfilled')
      expect(accepted && returned).toBe(false)
      await deliverWebhooks(lms)
      lms.clock.advance(61)
      await lms.work()
      const isBack = ledgerOf(lms, sale.paymentId)?.refunded === 49_000
      expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(!isBack)
    }
  }, 60_000)

  it('who died after deciding is gone on for', async () => {
    const sale = await reviewed(49_000)
    const at = lms.clock.now()
    await lms.db.driver.collection('payments').updateOne(
      { gatewayPaymentId: sale.paymentId },
      {
        $set: {
          review: {
            decision: 'accepted',
            by: sale.admin.user.id,
            reason: 'x',
            at,
            amountPaise: 49_000,
          },
          quarantine: null,
        },
      },
    )
    lms.clock.advance(310)
    await lms.work()
    expect(await statusOf(lms, sale)).toBe('FULFILLED')
  })
})
