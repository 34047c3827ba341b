import { expect, test } from 'vitest'
import { isWebhookSignature } from '../../../src/gateways/razorpay/signature.ts'
import { startShop, WEBHOOK_SECRET } from './shop.ts'

test('an order is created, paid, verified and found again, and its webhooks are signed', async () => {
  const { sandbox, gateway, receiver } = await startShop()

  const order = await gateway.createOrder({
    amountPaise: 49_900,
    currency: 'INR',
    receipt: 'order-1',
    notes: { orderId: 'order-1' },
  })
  expect(order).toMatchObject({ status: 'created', amountPaise: 49_900 })

  const { checkout } = sandbox.pay(order.id)
  if (!checkout) throw new Error('the payment did not succeed')
  expect(
    gateway.isCheckoutSignature(
      order.id,
      checkout.razorpay_payment_id,
      checkout.razorpay_signature,
    ),
  ).toBe(true)

  const payment = await gateway.fetchPayment(checkout.razorpay_payment_id)
  expect(payment).toMatchObject({ status: 'captured', orderId: order.id, amountPaise: 49_900 })
  expect(await gateway.paymentsOfOrder(order.id)).toEqual({ items: [payment], unreadable: [] })
  expect(await gateway.fetchOrder(order.id)).toMatchObject({ status: 'paid' })
  expect(await gateway.findOrderByReceipt('order-1')).toMatchObject({ id: order.id })

  await sandbox.settle()
  expect(receiver.received.map(({ event }) => event)).toEqual([
    'payment.authorized',
    'payment.captured',
    'order.paid',
  ])
  for (const { body, headers } of receiver.received) {
    expect(isWebhookSignature(body, headers['x-razorpay-signature'], [WEBHOOK_SECRET])).toBe(true)
  }
})
