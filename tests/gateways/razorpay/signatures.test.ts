import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { isWebhookSignature } from '../../../src/gateways/razorpay/signature.ts'
import { openRazorpay } from '../../../src/gateways/razorpay/client.ts'
import { startShop } from './shop.ts'

// Published with the SDK's own tests and documentation.
const CHECKOUT = {
  orderId: 'order_IEIaMR65cu6nz3',
  paymentId: 'pay_IH4NVgf4Dreq1l',
  secret: 'EnLs21M47BllR3X8PSFtjtbd',
  signature: '0d4e745a1838664ad6c9c9902212a32d627d68e917290b0ad5f08ff4561bc50f',
}
const WEBHOOK = {
  body: '{"a":1,"b":2,"c":{"d":3}}',
  secret: '123456',
  signature: '2fe04e22977002e6c7cb553adab8b460cb9e2a4970d5953cb27a8472752e3bbc',
}

function openWithSecrets(keySecret: string, previousKeySecrets: string[] = []) {
  return openRazorpay({
    keyId: 'rzp_test_0123456789abcd',
    keySecret,
    previousKeySecrets,
    apiUrl: 'http://127.0.0.1:9',
    now: () => new Date(0),
  })
}

test('the published checkout signature is accepted', () => {
  const { orderId, paymentId, signature, secret } = CHECKOUT
  expect(openWithSecrets(secret).isCheckoutSignature(orderId, paymentId, signature)).toBe(true)
})

test('a checkout signature made with the key before the last rotation is accepted', () => {
  const { orderId, paymentId, signature, secret } = CHECKOUT
  const gateway = openWithSecrets('the-new-secret', [secret])
  expect(gateway.isCheckoutSignature(orderId, paymentId, signature)).toBe(true)
})

test('the published webhook signature is accepted, for any of the secrets', () => {
  const { body, signature, secret } = WEBHOOK
  expect(isWebhookSignature(Buffer.from(body), signature, [secret])).toBe(true)
  expect(isWebhookSignature(body, signature, ['newer', secret])).toBe(true)
  expect(isWebhookSignature(body, signature, [secret, 'older'])).toBe(true)
})

const BAD_SIGNATURES: [string, unknown][] = [
  ['upper case', CHECKOUT.signature.toUpperCase()],
  ['truncated', CHECKOUT.signature.slice(0, 63)],
  ['longer', `${CHECKOUT.signature}0`],
  ['followed by a newline', `${CHECKOUT.signature}\n`],
  ['of another pair', '0'.repeat(64)],
  ['empty', ''],
  ['10 kB', 'a'.repeat(10_000)],
  ['an array', [CHECKOUT.signature]],
  ['missing', undefined],
]

test.each(BAD_SIGNATURES)('a checkout signature that is %s is not accepted', (_, signature) => {
  const { orderId, paymentId, secret } = CHECKOUT
  expect(openWithSecrets(secret).isCheckoutSignature(orderId, paymentId, signature)).toBe(false)
})

test('ids that are not Razorpay ids are not accepted, even when rightly signed', () => {
  const { orderId, secret } = CHECKOUT
  for (const paymentId of ['undefined', '', 'pay_1', `${CHECKOUT.paymentId}\n`]) {
    const signature = createHmac('sha256', secret).update(`${orderId}|${paymentId}`).digest('hex')
    expect(openWithSecrets(secret).isCheckoutSignature(orderId, paymentId, signature)).toBe(false)
  }
})

test('a webhook changed by a byte, or signed with another or an empty secret, is not accepted', () => {
  const { body, signature, secret } = WEBHOOK
  expect(isWebhookSignature(`${body} `, signature, [secret])).toBe(false)
  expect(isWebhookSignature(body, signature, ['123457'])).toBe(false)
  expect(isWebhookSignature(body, signature, [])).toBe(false)
  const unsigned = createHmac('sha256', '').update(body).digest('hex')
  expect(isWebhookSignature(body, unsigned, [''])).toBe(false)
})

test('after a rotation checkout still signs with the key it was opened with', async () => {
  const { sandbox, gateway } = await startShop()
  const order = { amountPaise: 500, currency: 'INR', receipt: 'r-1' }
  const before = await gateway.createOrder(order)
  const after = await gateway.createOrder({ ...order, receipt: 'r-2' })
  sandbox.rotateKey({ id: 'rzp_test_rotated0000001', secret: 'rotated', graceMs: 60_000 })
  const old = sandbox.pay(before.id, { keyId: gateway.keyId }).checkout
  const fresh = sandbox.pay(after.id).checkout
  const isSigned = (secrets: [string, ...string[]], answer: typeof old) =>
    answer !== null &&
    openWithSecrets(secrets[0], secrets.slice(1)).isCheckoutSignature(
      answer.razorpay_order_id,
      answer.razorpay_payment_id,
      answer.razorpay_signature,
    )
  expect(isSigned(['rotated'], old)).toBe(false)
  expect(isSigned(['rotated', 'sandbox-key-secret-0001'], old)).toBe(true)
  expect(isSigned(['rotated'], fresh)).toBe(true)
})
