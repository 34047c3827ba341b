import { expect, test } from 'vitest'
import { isWebhookSignature } from '../../../src/gateways/razorpay/signature.ts'
import { openSdk } from './sdk.ts'
import type { Receiver } from './shop.ts'
import { placeOrder, startReceiver, startShop, WEBHOOK_SECRET } from './shop.ts'

function names({ received }: Receiver): string[] {
  return received.map(({ event }) => event)
}

test('an event has the envelope, headers and signature of a real one', async () => {
  const shop = await startShop()
  const orderId = await placeOrder(shop)
  const { payment } = shop.sandbox.pay(orderId)
  await shop.sandbox.settle()
  const [, , paid] = shop.receiver.received
  const event = JSON.parse(paid?.body ?? '') as object
  expect(Object.keys(event)).toEqual([
    'entity',
    'account_id',
    'event',
    'contains',
    'payload',
    'created_at',
  ])
  expect(event).toMatchObject({
    entity: 'event',
    account_id: expect.stringMatching(/^acc_[A-Za-z0-9]{14}$/) as string,
    event: 'order.paid',
    contains: ['payment', 'order'],
    payload: {
      payment: {
        entity: { id: payment?.id, status: 'captured', base_amount: 500, reward: null },
      },
      order: { entity: { id: orderId, status: 'paid', description: null, checkout: null } },
    },
    created_at: 1_768_471_200,
  })
  expect(paid?.body).toBe(JSON.stringify(event))
  const eventId = paid?.headers['x-razorpay-event-id']
  expect(eventId).toMatch(/^[A-Za-z0-9]{14}$/)
  expect(paid?.headers).toMatchObject({
    'user-agent': 'Razorpay-Webhook/v1',
    'content-type': 'application/json',
    'request-id': eventId,
    'accept-encoding': 'gzip',
  })
  const signature = paid?.headers['x-razorpay-signature']
  expect(isWebhookSignature(paid?.body ?? '', signature, [WEBHOOK_SECRET])).toBe(true)
})

test('an event shows the moment it happened in, not the one it is sent in', async () => {
  const shop = await startShop()
  const orderId = await placeOrder(shop)
  shop.sandbox.with({ hold: true }, () => {
    shop.sandbox.pay(orderId, { outcome: 'fail' })
    const { payment } = shop.sandbox.pay(orderId)
    shop.sandbox.refund(payment?.id ?? '')
  })
  await shop.sandbox.settle()
  expect(shop.receiver.received).toEqual([])
  await shop.sandbox.release()
  expect(names(shop.receiver)).toEqual([
    'payment.failed',
    'payment.authorized',
    'payment.captured',
    'order.paid',
    'refund.created',
    'refund.processed',
  ])
  const captured = shop.receiver.received[2]?.body ?? ''
  expect(captured).toContain('"status":"captured"')
  expect(captured).toContain('"amount_refunded":0')
})

test('refunds and disputes announce each of their steps', async () => {
  const shop = await startShop()
  const { payment } = shop.sandbox.pay(await placeOrder(shop))
  const paymentId = payment?.id ?? ''
  const refund = shop.sandbox.with({ refunds: 'pending' }, () =>
    shop.sandbox.refund(paymentId, 100),
  )
  shop.sandbox.settleRefund(refund.id, 'failed')
  const dispute = shop.sandbox.openDispute({ paymentId })
  for (const move of ['action_required', 'under_review', 'won'] as const) {
    shop.sandbox.moveDispute(dispute.id, move)
  }
  await shop.sandbox.settle()
  expect(names(shop.receiver).slice(3)).toEqual([
    'refund.created',
    'refund.failed',
    'payment.dispute.created',
    'payment.dispute.action_required',
    'payment.dispute.under_review',
    'payment.dispute.won',
  ])
})

test('events can be dropped, sent twice and turned around', async () => {
  const shop = await startShop()
  const orderId = await placeOrder(shop)
  shop.sandbox.with({ drop: ['payment.authorized'], copies: 2, order: 'reversed' }, () =>
    shop.sandbox.pay(orderId),
  )
  await shop.sandbox.settle()
  expect(names(shop.receiver)).toEqual([
    'order.paid',
    'order.paid',
    'payment.captured',
    'payment.captured',
  ])
  const ids = shop.receiver.received.map(({ headers }) => headers['x-razorpay-event-id'])
  expect(new Set(ids).size).toBe(2)
})

test('delayed events are sent once their time has come', async () => {
  const shop = await startShop()
  const orderId = await placeOrder(shop)
  shop.sandbox.with({ delayMs: 60_000 }, () => shop.sandbox.pay(orderId))
  await shop.sandbox.tick()
  expect(shop.receiver.received).toEqual([])
  shop.clock.advance(60_000)
  await shop.sandbox.tick()
  expect(shop.receiver.received).toHaveLength(3)
})

test('a slow event arrives whole, and those sent in parallel all arrive', async () => {
  const shop = await startShop()
  await shop.sandbox.with({ slowMs: 20, parallel: true }, async () => {
    shop.sandbox.pay(await placeOrder(shop))
    await shop.sandbox.settle()
  })
  expect(names(shop.receiver).sort()).toEqual([
    'order.paid',
    'payment.authorized',
    'payment.captured',
  ])
})

test('made-up events reach the receiver, signed as asked', async () => {
  const shop = await startShop()
  await shop.sandbox.sendEvent({
    name: 'payment.pending',
    payload: { payment: { entity: { id: 'pay_00000000000000' } } },
    accountId: 'acc_someoneElse000',
    eventId: 'chosen00000000',
    secret: 'forged',
  })
  const [event] = shop.receiver.received
  expect(JSON.parse(event?.body ?? '')).toMatchObject({
    account_id: 'acc_someoneElse000',
    event: 'payment.pending',
    contains: ['payment'],
  })
  expect(event?.headers['x-razorpay-event-id']).toBe('chosen00000000')
  expect(
    isWebhookSignature(event?.body ?? '', event?.headers['x-razorpay-signature'], ['forged']),
  ).toBe(true)
})

test('an address set later receives what happens from then on', async () => {
  const shop = await startShop({ webhookUrl: undefined })
  shop.sandbox.pay(await placeOrder(shop), { outcome: 'fail' })
  await shop.sandbox.settle()
  const later = await startReceiver()
  shop.sandbox.setWebhookUrl(later.url)
  const [order] = shop.sandbox.ledger().orders
  shop.sandbox.pay(order?.id ?? '')
  await shop.sandbox.settle()
  expect(names(later)).toEqual(['payment.authorized', 'payment.captured', 'order.paid'])
})

test('a webhook registered through the API gets the events it asked for', async () => {
  const shop = await startShop()
  const other = await startReceiver()
  const { webhooks } = openSdk(shop.sandbox.url)
  const events = { 'order.paid': true, 'payment.failed': false }
  await webhooks.create({ url: other.url, secret: 'other', events, alert_email: 'a@b.in' })
  shop.sandbox.pay(await placeOrder(shop))
  await shop.sandbox.settle()
  expect(names(other)).toEqual(['order.paid'])
  const [event] = other.received
  const signature = event?.headers['x-razorpay-signature']
  expect(isWebhookSignature(event?.body ?? '', signature, ['other'])).toBe(true)
})
