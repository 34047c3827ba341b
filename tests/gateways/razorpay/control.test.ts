import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startShop } from './shop.ts'

const ORDER = { amountPaise: 50_000, currency: 'INR', receipt: 'r-1' }

function controlOf(url: string) {
  return async (action: string, body?: object): Promise<unknown> => {
    const [method = '', name = ''] = action.split(' ')
    const answer = await fetch(`${url}/_control/${name}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const content: unknown = await answer.json()
    return answer.status === 200 ? content : answer.status
  }
}

test('a purchase, its refund and a dispute are played over HTTP', async () => {
  const { sandbox, gateway, receiver } = await startShop()
  const control = controlOf(sandbox.url)
  const order = await gateway.createOrder(ORDER)
  const paid = await control('POST pay', { orderId: order.id, method: 'card' })
  expect(paid).toMatchObject({ checkout: { razorpay_order_id: order.id } })
  const { payment } = paid as { payment: { id: string } }
  await control('POST settings', { refunds: 'pending' })
  const refund = (await control('POST refund', { paymentId: payment.id, amount: 100 })) as {
    id: string
  }
  await control('POST settleRefund', { refundId: refund.id, status: 'processed' })
  const dispute = (await control('POST openDispute', { paymentId: payment.id })) as { id: string }
  await control('POST moveDispute', { disputeId: dispute.id, move: 'lost' })
  await control('POST settle')
  expect(receiver.received).toHaveLength(7)
  expect(await control('GET ledger')).toMatchObject({
    captured: 50_000,
    refunded: 100,
    orders: [
      { payments: [{ refunds: [{ status: 'processed' }], disputes: [{ status: 'lost' }] }] },
    ],
  })
  expect(await control('GET deliveries')).toHaveLength(7)
  expect(await control('GET requests')).toMatchObject([{ route: 'POST /orders', status: 200 }])
})

test('an authorisation is captured, and a late one authorised, over HTTP', async () => {
  const { sandbox, gateway } = await startShop()
  const control = controlOf(sandbox.url)
  const { id: orderId } = await gateway.createOrder(ORDER)
  const late = (await control('POST pay', { orderId, outcome: 'late' })) as {
    payment: { id: string }
  }
  const first = (await control('POST pay', { orderId, outcome: 'authorized' })) as {
    payment: { id: string }
  }
  expect(await control('POST capture', { paymentId: first.payment.id })).toMatchObject({
    status: 'captured',
  })
  expect(await control('POST authorizeLate', { paymentId: late.payment.id })).toMatchObject({
    status: 'refunded',
  })
})

test('webhooks, faults and secrets are set over HTTP', async () => {
  const { sandbox, gateway, receiver } = await startShop()
  const control = controlOf(sandbox.url)
  await control('POST webhooks', { hold: true })
  await control('POST setWebhookUrl', { url: `${receiver.url}?again` })
  await control('POST rotateWebhookSecret', { secret: 'rotated' })
  await control('POST faults', { route: 'GET /orders', kind: 'throttle', times: 9 })
  expect(await control('GET faults')).toHaveLength(1)
  await control('DELETE faults')
  expect(await gateway.findOrderByReceipt('r-1')).toBeNull()
  const { id: orderId } = await gateway.createOrder(ORDER)
  await control('POST pay', { orderId })
  await control('POST tick')
  expect(receiver.received).toEqual([])
  await control('POST release')
  expect(receiver.received).toHaveLength(3)
  const [first] = sandbox.deliveries()
  await control('POST replay', { eventId: first?.eventId })
  await control('POST sendEvent', { name: 'payment.pending', payload: {} })
  await control('POST deliverAll')
  expect(receiver.received).toHaveLength(5)
  await control('POST rotateKey', { id: 'rzp_test_rotated0000001', secret: 'rotated' })
  await control('POST setWebhooksEnabled', { enabled: false })
  expect(sandbox.state.endpoints).toMatchObject([{ webhook: { active: false } }])
})

test('an unknown control is not found, and a wrong one refused', async () => {
  const { sandbox } = await startShop()
  const control = controlOf(sandbox.url)
  expect(await control('POST nothing')).toBe(404)
  expect(await control('GET pay')).toBe(404)
  expect(await control('POST pay', { orderId: 'order_1' })).toBe(400)
  expect(await control('POST settings', { refunds: 'sometimes' })).toBe(400)
  expect(await control('POST webhooks', { unknown: 1 })).toBe(400)
})

test('orders, payments and refund keys outlive a restart', async () => {
  const file = path.join(tmpdir(), `razorpay-${randomUUID()}.json`)
  onTestFinished(() => {
    rmSync(file, { force: true })
  })
  const before = await startShop({ file })
  const order = await before.gateway.createOrder(ORDER)
  const paymentId = before.sandbox.pay(order.id).payment?.id ?? ''
  const refund = { paymentId, amountPaise: 100, key: 'refund-key-0001' }
  const refunded = await before.gateway.refundPayment(refund)
  await before.sandbox.close()

  const after = await startShop({ file })
  expect(await after.gateway.fetchOrder(order.id)).toMatchObject({ status: 'paid' })
  expect(await after.gateway.refundPayment(refund)).toEqual(refunded)
  expect(after.sandbox.ledger()).toMatchObject({ captured: 50_000, refunded: 100 })
})
