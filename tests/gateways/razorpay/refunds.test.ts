import { expect, test } from 'vitest'
import type { Fault } from '../../../sandbox/razorpay/api/faults.ts'
import { openSdk, refusalOf } from './sdk.ts'
import type { Shop } from './shop.ts'
import { failureOf, startShop } from './shop.ts'

const KEY = 'refund-key-0001'

async function paidPayment({ gateway, sandbox }: Shop): Promise<string> {
  const order = await gateway.createOrder({
    amountPaise: 50_000,
    currency: 'INR',
    receipt: 'r-1',
  })
  return sandbox.pay(order.id).payment?.id ?? ''
}

test('a part is refunded, then the rest, and the order stays paid', async () => {
  const shop = await startShop()
  const paymentId = await paidPayment(shop)
  const { gateway } = shop
  const part = await gateway.refundPayment({
    paymentId,
    amountPaise: 20_000,
    key: KEY,
    notes: { line: '1' },
  })
  expect(part).toMatchObject({ status: 'processed', amountPaise: 20_000 })
  expect(await gateway.fetchPayment(paymentId)).toMatchObject({
    status: 'captured',
    amountRefundedPaise: 20_000,
  })
  const rest = await gateway.refundPayment({ paymentId, amountPaise: 30_000, key: `${KEY}-2` })
  const payment = await gateway.fetchPayment(paymentId)
  expect(payment).toMatchObject({ status: 'refunded' })
  expect(await gateway.fetchOrder(payment.orderId ?? '')).toMatchObject({ status: 'paid' })
  expect((await gateway.refundsOfPayment(paymentId)).items.map(({ id }) => id)).toEqual([
    rest.id,
    part.id,
  ])
  expect(await gateway.fetchRefund(part.id)).toEqual(part)
})

test('a refund has exactly the fields that Razorpay documents, by all of its routes', async () => {
  const shop = await startShop()
  const paymentId = await paidPayment(shop)
  const sdk = openSdk(shop.sandbox.url)
  const refund = await sdk.payments.refund(paymentId, { receipt: 'rr-1' })
  expect(refund).toEqual({
    id: expect.stringMatching(/^rfnd_[A-Za-z0-9]{14}$/) as string,
    entity: 'refund',
    amount: 50_000,
    currency: 'INR',
    payment_id: paymentId,
    notes: [],
    receipt: 'rr-1',
    acquirer_data: { arn: expect.any(String) as string },
    created_at: 1_768_471_200,
    batch_id: null,
    status: 'processed',
    speed_processed: 'normal',
    speed_requested: 'normal',
  })
  expect(await sdk.refunds.fetch(refund.id)).toEqual(refund)
  expect(await sdk.refunds.fetch(refund.id, { payment_id: paymentId })).toEqual(refund)
  expect((await sdk.refunds.all()).items).toEqual([refund])
  expect((await sdk.payments.fetchMultipleRefund(paymentId, {})).items).toEqual([refund])
})

test('the same key and body give the same refund; another body under it is a conflict', async () => {
  const shop = await startShop()
  const paymentId = await paidPayment(shop)
  const refund = { paymentId, amountPaise: 20_000, key: KEY }
  const first = await shop.gateway.refundPayment(refund)
  expect(await shop.gateway.refundPayment(refund)).toEqual(first)
  for (const status of [409, 400] as const) {
    const other = shop.sandbox.with({ idempotencyConflictStatus: status }, () =>
      shop.gateway.refundPayment({ ...refund, amountPaise: 10_000 }),
    )
    expect(await failureOf(other)).toMatchObject({
      kind: 'conflict',
      statusCode: status,
      retryable: false,
    })
  }
  expect(shop.sandbox.ledger()).toMatchObject({ refunded: 20_000 })
})

test('the SDK alone drops the idempotency key; the gateway really sends it', async () => {
  const shop = await startShop()
  const paymentId = await paidPayment(shop)
  const sdk = openSdk(shop.sandbox.url, { headers: { 'X-Refund-Idempotency': KEY } })
  await sdk.payments.refund(paymentId, { amount: 1000 })
  await shop.gateway.refundPayment({ paymentId, amountPaise: 2000, key: KEY })
  const refunds = shop.sandbox.requests().filter(({ route }) => route?.endsWith('/refund'))
  expect(refunds.map(({ idempotencyKey }) => idempotencyKey)).toEqual([null, KEY])
})

test('two refunds at once under one key, and a lost answer tried again, are one refund', async () => {
  const shop = await startShop()
  const paymentId = await paidPayment(shop)
  const refund = { paymentId, amountPaise: 50_000, key: KEY }
  const fault: Fault = { route: 'POST /payments/:id/refund', kind: 'hang', commit: true }
  const twins = await shop.sandbox.with({ faults: [fault] }, () =>
    Promise.allSettled([shop.gateway.refundPayment(refund), shop.gateway.refundPayment(refund)]),
  )
  const { id } = await shop.gateway.refundPayment(refund)
  for (const twin of twins) if (twin.status === 'fulfilled') expect(twin.value.id).toBe(id)
  expect(shop.sandbox.ledger()).toMatchObject({ refunded: 50_000 })
})

test('a twin of a refund still in progress is a conflict that may be tried again', async () => {
  const shop = await startShop()
  const paymentId = await paidPayment(shop)
  const { payments } = openSdk(shop.sandbox.url)
  const fault: Fault = { route: 'POST /payments/:id/refund', kind: 'hang', times: 9 }
  const abandoned = shop.sandbox.with({ faults: [fault] }, () =>
    shop.gateway.refundPayment({ paymentId, amountPaise: 50_000, key: KEY }),
  )
  await expect.poll(() => shop.sandbox.requests().at(-1)?.fault).toBe('hang')
  const twin = await fetch(`${shop.sandbox.url}/v1/payments/${paymentId}/refund`, {
    method: 'POST',
    headers: {
      Authorization: `Basic ${Buffer.from('rzp_test_0123456789abcd:sandbox-key-secret-0001').toString('base64')}`,
      'X-Refund-Idempotency': KEY,
    },
  })
  expect(twin.status).toBe(409)
  expect(await failureOf(abandoned)).toMatchObject({ kind: 'timeout' })
  expect((await payments.fetchMultipleRefund(paymentId, {})).items).toEqual([])
})

test('more than was captured, too little, twice, or from an empty balance is refused', async () => {
  const shop = await startShop()
  const paymentId = await paidPayment(shop)
  const { payments } = openSdk(shop.sandbox.url)
  const refund = (amount: number) => refusalOf(payments.refund(paymentId, { amount }))
  expect(await refund(50_001)).toBe(
    '400 The refund amount provided is greater than amount captured.',
  )
  expect(await refund(10.5)).toBe('400 The amount must be an integer.')
  expect(await refund(99)).toBe('400 The amount must be at least INR 1.00')
  expect(await refusalOf(payments.refund(paymentId, { tip: 1 } as object))).toBe(
    '400 tip is/are not required and should not be sent',
  )
  expect(await shop.sandbox.with({ balancePaise: 0 }, () => refund(50_000))).toContain(
    'does not have enough balance',
  )
  shop.sandbox.with({ balancePaise: 50_000 }, () => shop.sandbox.refund(paymentId))
  expect(await refund(50_000)).toBe('400 The payment has been fully refunded already.')
  expect(shop.sandbox.ledger()).toMatchObject({ captured: 50_000, refunded: 50_000 })
})

test('a low balance refuses without using up the key', async () => {
  const shop = await startShop()
  const paymentId = await paidPayment(shop)
  const refund = { paymentId, amountPaise: 50_000, key: KEY }
  const poor = shop.sandbox.with({ balancePaise: 0 }, () => shop.gateway.refundPayment(refund))
  expect(await failureOf(poor)).toMatchObject({ kind: 'refused' })
  expect(await shop.gateway.refundPayment(refund)).toMatchObject({ status: 'processed' })
})

test('a pending refund that fails gives the money back to the payment', async () => {
  const shop = await startShop()
  const paymentId = await paidPayment(shop)
  const { id } = await shop.sandbox.with({ refunds: 'pending' }, () =>
    shop.gateway.refundPayment({ paymentId, amountPaise: 50_000, key: KEY }),
  )
  expect(await shop.gateway.fetchPayment(paymentId)).toMatchObject({ status: 'refunded' })
  shop.sandbox.settleRefund(id, 'failed')
  expect(await shop.gateway.fetchRefund(id)).toMatchObject({ status: 'failed' })
  expect(await shop.gateway.fetchPayment(paymentId)).toMatchObject({
    status: 'captured',
    amountRefundedPaise: 0,
  })
})

test('a payment older than six months is not refunded', async () => {
  const shop = await startShop()
  const paymentId = await paidPayment(shop)
  shop.clock.advance(184 * 24 * 60 * 60 * 1000)
  const refund = shop.gateway.refundPayment({ paymentId, amountPaise: 100, key: KEY })
  expect(await failureOf(refund)).toMatchObject({ kind: 'refused', statusCode: 400 })
})

test('a dispute blocks refunds while it is open, keeps the payment captured, and deducts when lost', async () => {
  const shop = await startShop()
  const paymentId = await paidPayment(shop)
  const { id } = shop.sandbox.openDispute({ paymentId, phase: 'chargeback' })
  const refund = { paymentId, amountPaise: 50_000, key: KEY }
  expect(await failureOf(shop.gateway.refundPayment(refund))).toMatchObject({ kind: 'refused' })
  expect(await shop.gateway.fetchDispute(id)).toMatchObject({
    paymentId,
    status: 'open',
    phase: 'chargeback',
  })
  shop.sandbox.moveDispute(id, 'under_review')
  shop.sandbox.moveDispute(id, 'lost')
  for await (const page of shop.gateway.listDisputes()) {
    expect(page).toMatchObject({
      items: [{ id, status: 'lost' }],
      unreadable: [],
    })
  }
  expect(await shop.gateway.fetchPayment(paymentId)).toMatchObject({ status: 'captured' })
  expect(await openSdk(shop.sandbox.url).disputes.fetch(id)).toMatchObject({ entity: 'dispute' })
})
