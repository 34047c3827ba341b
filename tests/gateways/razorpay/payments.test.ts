import { expect, test } from 'vitest'
import type { Fault } from '../../../sandbox/razorpay/api/faults.ts'
import { openSdk, refusalOf } from './sdk.ts'
import { failureOf, placeOrder, startShop } from './shop.ts'

test('a captured payment has exactly the fields that Razorpay documents', async () => {
  const shop = await startShop()
  const orderId = await placeOrder(shop)
  const { payment } = shop.sandbox.pay(orderId, { method: 'netbanking', email: 'a@b.in' })
  const sdk = openSdk(shop.sandbox.url)
  expect(await sdk.payments.fetch(payment?.id ?? '')).toEqual({
    id: expect.stringMatching(/^pay_[A-Za-z0-9]{14}$/) as string,
    entity: 'payment',
    amount: 500,
    currency: 'INR',
    status: 'captured',
    order_id: orderId,
    invoice_id: null,
    international: false,
    method: 'netbanking',
    amount_refunded: 0,
    refund_status: null,
    captured: true,
    description: null,
    card_id: null,
    bank: 'HDFC',
    wallet: null,
    vpa: null,
    email: 'a@b.in',
    contact: '+919000090000',
    notes: [],
    fee: 12,
    tax: 2,
    error_code: null,
    error_description: null,
    error_source: null,
    error_step: null,
    error_reason: null,
    acquirer_data: { rrn: expect.any(String) as string },
    created_at: 1_768_471_200,
  })
})

test('a failed payment leaves the order attempted, and the next one pays it', async () => {
  const shop = await startShop()
  const orderId = await placeOrder(shop)
  expect(shop.sandbox.pay(orderId, { outcome: 'fail' }).checkout).toBeNull()
  expect(await shop.gateway.fetchOrder(orderId)).toMatchObject({ status: 'attempted' })
  shop.sandbox.pay(orderId)
  expect(await shop.gateway.fetchOrder(orderId)).toMatchObject({
    status: 'paid',
  })
  const statuses = (await shop.gateway.paymentsOfOrder(orderId)).items.map(({ status }) => status)
  expect(statuses).toEqual(['captured', 'failed'])
})

test('closing the dialog leaves nothing behind', async () => {
  const shop = await startShop()
  const orderId = await placeOrder(shop)
  expect(shop.sandbox.pay(orderId, { outcome: 'close' })).toMatchObject({ payment: null })
  expect(await shop.gateway.fetchOrder(orderId)).toMatchObject({ status: 'created' })
})

test('a paid order takes no further payment', async () => {
  const shop = await startShop()
  const orderId = await placeOrder(shop)
  shop.sandbox.pay(orderId)
  expect(() => shop.sandbox.pay(orderId)).toThrow('Payment already done for this order.')
})

test('an authorised payment is captured once, for the amount authorised', async () => {
  const shop = await startShop()
  const orderId = await placeOrder(shop)
  const { payment } = shop.sandbox.pay(orderId, { outcome: 'authorized' })
  const paymentId = payment?.id ?? ''
  expect(await shop.gateway.fetchPayment(paymentId)).toMatchObject({ status: 'authorized' })
  const { payments } = openSdk(shop.sandbox.url)
  expect(await refusalOf(payments.capture(paymentId, 100, 'INR'))).toBe(
    '400 Capture amount must be equal to the amount authorized.',
  )
  expect(await payments.capture(paymentId, 500, 'INR')).toMatchObject({ status: 'captured' })
  expect(await refusalOf(payments.capture(paymentId, 500, 'INR'))).toBe(
    '400 This payment has already been captured',
  )
})

test('the gateway takes a payment captured already for captured, and a failed one for refused', async () => {
  const shop = await startShop()
  const orderId = await placeOrder(shop)
  const failed = shop.sandbox.pay(orderId, { outcome: 'fail' }).payment?.id ?? ''
  const paid = shop.sandbox.pay(orderId).payment?.id ?? ''
  const capture = (paymentId: string) =>
    shop.gateway.capturePayment({ paymentId, amountPaise: 500, currency: 'INR' })
  expect(await capture(paid)).toMatchObject({ id: paid, status: 'captured' })
  expect(await failureOf(capture(failed))).toMatchObject({ kind: 'refused', statusCode: 400 })
})

test('a capture whose answer is lost is found to have happened', async () => {
  const shop = await startShop()
  const orderId = await placeOrder(shop)
  const paymentId = shop.sandbox.pay(orderId, { outcome: 'authorized' }).payment?.id ?? ''
  const fault: Fault = { route: 'POST /payments/:id/capture', kind: 'hang', commit: true }
  const captured = await shop.sandbox.with({ faults: [fault] }, () =>
    shop.gateway.capturePayment({ paymentId, amountPaise: 500, currency: 'INR' }),
  )
  expect(captured).toMatchObject({ status: 'captured' })
})

test('an order may ask for capture by hand, or capture may come later', async () => {
  const { sandbox, gateway, clock } = await startShop()
  const { orders } = openSdk(sandbox.url)
  const byHand = await orders.create({
    amount: 500,
    currency: 'INR',
    payment: { capture: 'manual' },
  })
  expect(sandbox.pay(byHand.id).payment).toMatchObject({ status: 'authorized' })

  const later = await orders.create({ amount: 500, currency: 'INR' })
  const { payment } = sandbox.with({ autoCaptureDelayMs: 60_000 }, () => sandbox.pay(later.id))
  const paymentId = payment?.id ?? ''
  await sandbox.tick()
  expect(await gateway.fetchPayment(paymentId)).toMatchObject({ status: 'authorized' })
  clock.advance(60_000)
  await sandbox.tick()
  expect(await gateway.fetchPayment(paymentId)).toMatchObject({ status: 'captured' })
})

test('an authorisation that nobody captures is given back after three days', async () => {
  const shop = await startShop()
  const { sandbox, gateway, clock } = shop
  const orderId = await placeOrder(shop)
  const paymentId = sandbox.pay(orderId, { outcome: 'authorized' }).payment?.id ?? ''
  clock.advance(3 * 24 * 60 * 60 * 1000)
  await sandbox.tick()
  expect(await gateway.fetchPayment(paymentId)).toMatchObject({
    status: 'refunded',
  })
  expect(sandbox.ledger()).toMatchObject({ captured: 0, refunded: 500 })
})

test('a failed payment may authorise late, and be captured', async () => {
  const shop = await startShop()
  const orderId = await placeOrder(shop)
  const { payment } = shop.sandbox.pay(orderId, { outcome: 'late', lateAfterMs: 60_000 })
  expect(payment).toMatchObject({ status: 'failed', error_reason: 'payment_cancelled' })
  shop.clock.advance(60_000)
  await shop.sandbox.tick()
  expect(await shop.gateway.fetchPayment(payment?.id ?? '')).toMatchObject({
    status: 'captured',
    errorReason: null,
  })
})

test('a late authorisation on an order paid meanwhile is refunded at once', async () => {
  const shop = await startShop()
  const orderId = await placeOrder(shop)
  const late = shop.sandbox.pay(orderId, { outcome: 'late' }).payment?.id ?? ''
  shop.sandbox.pay(orderId)
  expect(shop.sandbox.authorizeLate(late)).toMatchObject({ status: 'refunded', captured: false })
})

test('a double payment and a tampered amount or currency show in the ledger', async () => {
  const shop = await startShop()
  const double = await placeOrder(shop)
  shop.sandbox.pay(double, { outcome: 'double' })
  expect(await shop.gateway.paymentsOfOrder(double)).toMatchObject({
    items: [{ status: 'captured' }, { status: 'captured' }],
    unreadable: [],
  })
  const tampered = await placeOrder(shop)
  shop.sandbox.pay(tampered, { amount: 100, currency: 'USD' })
  expect(shop.sandbox.ledger()).toMatchObject({
    captured: 2 * 500 + 100,
    orders: [
      { id: double, captured: 1000 },
      { id: tampered, amount: 500, payments: [{ amount: 100, currency: 'USD' }] },
    ],
  })
})

test('payments of a period are listed through all their pages', async () => {
  const shop = await startShop()
  const { sandbox, gateway, clock } = shop
  const orderId = await placeOrder(shop)
  sandbox.with({ webhooksEnabled: false }, () => {
    for (let n = 0; n < 120; n += 1) sandbox.pay(orderId, { outcome: 'fail' })
  })
  const from = clock.now()
  clock.advance(3_600_000)
  sandbox.pay(orderId)
  const list = async (to: Date) => {
    const all = []
    for await (const { items } of gateway.listPayments({ from, to })) all.push(...items)
    return all
  }
  const first = await list(from)
  expect(first).toHaveLength(120)
  expect(new Set(first.map(({ id }) => id)).size).toBe(120)
  expect(await list(clock.now())).toHaveLength(121)
})
