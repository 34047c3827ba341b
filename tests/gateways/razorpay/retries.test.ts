import { expect, test } from 'vitest'
import { isWebhookSignature } from '../../../src/gateways/razorpay/signature.ts'
import { placeOrder, startShop, WEBHOOK_SECRET, type Shop } from './shop.ts'

/** Pays an order, of which `order.paid` alone is sent. */
async function payTellingOnce(shop: Shop): Promise<void> {
  const orderId = await placeOrder(shop)
  const drop = ['payment.authorized', 'payment.captured']
  shop.sandbox.with({ drop }, () => shop.sandbox.pay(orderId))
}

test('a failing receiver gets the same bytes again along the ladder, 16 times, then never', async () => {
  const shop = await startShop()
  const started = shop.clock.now().getTime()
  shop.receiver.answers.push(...Array.from({ length: 99 }, () => 503))
  await payTellingOnce(shop)
  await shop.sandbox.settle()
  const offsets = [0]
  for (let tries = 0; tries < 20; tries += 1) {
    const [delivery] = shop.sandbox.deliveries().filter(({ state }) => state === 'queued')
    if (!delivery) break
    shop.clock.advance(delivery.dueAt.getTime() - shop.clock.now().getTime())
    offsets.push((shop.clock.now().getTime() - started) / 1000)
    await shop.sandbox.tick()
  }
  expect(offsets).toEqual([
    0, 0.2, 6, 19, 40, 82, 164, 326, 650, 1293, 2577, 5140, 10_266, 20_518, 41_022, 81_936,
  ])
  const { received } = shop.receiver
  expect(received).toHaveLength(16)
  const copies = received.map(({ body, headers }) =>
    [body, headers['x-razorpay-signature'], headers['x-razorpay-event-id']].join(),
  )
  expect(new Set(copies).size).toBe(1)
  expect(shop.sandbox.deliveries().at(-1)).toMatchObject({ state: 'exhausted' })

  const next = await shop.gateway.createOrder({ amountPaise: 500, currency: 'INR', receipt: 'r-2' })
  shop.sandbox.pay(next.id)
  await shop.sandbox.settle()
  expect(received).toHaveLength(16)
})

test('a 4xx is tried again without the quick first step, and a 200 ends it', async () => {
  const shop = await startShop()
  shop.receiver.answers.push(400)
  await payTellingOnce(shop)
  await shop.sandbox.settle()
  shop.clock.advance(5_999)
  await shop.sandbox.tick()
  expect(shop.receiver.received).toHaveLength(1)
  shop.clock.advance(1)
  await shop.sandbox.tick()
  expect(shop.sandbox.deliveries().at(-1)).toMatchObject({
    state: 'delivered',
    attempts: [{ status: 400 }, { status: 200 }],
  })
})

test('a receiver that does not answer in time has failed', async () => {
  const shop = await startShop()
  shop.receiver.answers.push('hang')
  await shop.sandbox.with({ timeoutMs: 100 }, async () => {
    await payTellingOnce(shop)
    await shop.sandbox.settle()
  })
  expect(shop.sandbox.deliveries().at(-1)?.attempts).toMatchObject([
    { status: null, error: 'no answer in time' },
  ])
  await shop.sandbox.deliverAll()
  expect(shop.sandbox.deliveries().at(-1)?.state).toBe('delivered')
})

test('retries keep the secret of their first sending, a replay takes the current one', async () => {
  const shop = await startShop()
  shop.receiver.answers.push(500)
  await payTellingOnce(shop)
  await shop.sandbox.settle()
  shop.sandbox.rotateWebhookSecret('rotated')
  await shop.sandbox.deliverAll()
  const eventId = shop.sandbox.deliveries().at(-1)?.eventId ?? ''
  shop.sandbox.setWebhooksEnabled(false)
  await shop.sandbox.replay(eventId)
  const signedWith = shop.receiver.received.map(({ body, headers }) =>
    [WEBHOOK_SECRET, 'rotated'].filter((secret) =>
      isWebhookSignature(body, headers['x-razorpay-signature'], [secret]),
    ),
  )
  expect(signedWith).toEqual([[WEBHOOK_SECRET], [WEBHOOK_SECRET], ['rotated']])
  expect(new Set(shop.receiver.received.map(({ body }) => body)).size).toBe(1)
})
