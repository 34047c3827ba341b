import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { Fault } from '../../../sandbox/razorpay/api/faults.ts'
import { openSdk } from './sdk.ts'
import type { Refused } from './sdk.ts'
import { failureOf, startShop } from './shop.ts'

const BAD_IDS = [
  '../orders/x',
  'pay_1?x=1',
  'pay_0123456789abc',
  'pay_0123456789abcde',
  'PAY_0123456789abcd',
  'pay_0123456789abc/',
  'pay_0123456789abc\n',
  'order_0123456789abcd/../../payments',
  '',
  ' ',
]

test('the SDK alone lets an id reach another route', async () => {
  const { sandbox } = await startShop()
  await openSdk(sandbox.url).orders.fetch('../payments?count=1#')
  expect(sandbox.requests()).toMatchObject([{ path: '/payments?count=1', status: 200 }])
})

test.each(BAD_IDS)('the id %j is refused before anything is sent', async (id) => {
  const { sandbox, gateway } = await startShop()
  const money = { amountPaise: 100, currency: 'INR' }
  const calls = [
    gateway.fetchOrder(id),
    gateway.paymentsOfOrder(id),
    gateway.fetchPayment(id),
    gateway.capturePayment({ ...money, paymentId: id }),
    gateway.refundPayment({ ...money, paymentId: id, key: 'refund-key-0001' }),
    gateway.refundsOfPayment(id),
    gateway.fetchRefund(id),
    gateway.fetchDispute(id),
  ]
  for (const call of calls) {
    expect(await failureOf(call)).toMatchObject({
      kind: 'refused',
      code: 'MALFORMED_INPUT',
      unsent: true,
      retryable: false,
    })
  }
  expect(sandbox.requests()).toEqual([])
})

test('an id of another kind of entity is refused before anything is sent', async () => {
  const { sandbox, gateway } = await startShop()
  await failureOf(gateway.fetchPayment('order_0123456789abcd'))
  await failureOf(gateway.fetchOrder('pay_0123456789abcd'))
  expect(sandbox.requests()).toEqual([])
})

test('amounts, receipts and refund keys that cannot be right are refused before anything is sent', async () => {
  const { sandbox, gateway } = await startShop()
  const paymentId = 'pay_0123456789abcd'
  const order = { amountPaise: 100, currency: 'INR', receipt: 'r-1' }
  for (const amountPaise of [0, -1, 99.5, NaN, Infinity, 2 ** 53]) {
    await failureOf(gateway.createOrder({ ...order, amountPaise }))
    await failureOf(gateway.refundPayment({ paymentId, amountPaise, key: 'refund-key-0001' }))
  }
  for (const receipt of ['', 'x'.repeat(41), 'a b', 'a&count=1']) {
    await failureOf(gateway.createOrder({ ...order, receipt }))
    await failureOf(gateway.findOrderByReceipt(receipt))
  }
  for (const key of ['', 'short', 'a b c d e f g h', 'key\r\nX-Evil: 1'])
    await failureOf(gateway.refundPayment({ paymentId, amountPaise: 100, key }))
  expect(sandbox.requests()).toEqual([])
})

test('a redirect is not followed, so the credentials stay here', async () => {
  const { sandbox, gateway } = await startShop()
  const seen: (string | undefined)[] = []
  const elsewhere = createServer((request, response) => {
    seen.push(request.headers.authorization)
    response.end('{}')
  })
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void elsewhere.close())
  const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`
  const faults: Fault[] = [{ route: '*', kind: 'redirect', location, times: 99 }]
  await sandbox.with({ faults }, async () => {
    await failureOf(gateway.fetchPayment('pay_0123456789abcd'))
    expect(seen).toEqual([])

    const sdk = openSdk(sandbox.url)
    await sdk.payments.fetch('pay_0123456789abcd')
    expect(seen).toHaveLength(1)
  })
})

test('a proxy named in the environment does not get the credentials', async () => {
  const { gateway } = await startShop()
  process.env['HTTP_PROXY'] = 'http://127.0.0.1:9'
  onTestFinished(() => {
    delete process.env['HTTP_PROXY']
  })
  expect(await failureOf(gateway.fetchPayment('pay_0123456789abcd'))).toMatchObject({
    statusCode: 400,
  })
})

test('the SDK alone throws a TypeError where the connection breaks, and loses a page of HTML', async () => {
  const { sandbox } = await startShop()
  const { payments } = openSdk(sandbox.url)
  const fetchUnder = (kind: 'reset' | 'error') =>
    sandbox.with({ faults: [{ route: '*', kind }] }, () => payments.fetch('pay_0123456789abcd'))
  await expect(fetchUnder('reset')).rejects.toThrow(TypeError)
  const lost: unknown = await fetchUnder('error').catch((error: unknown) => error)
  expect(lost as Refused).toEqual({ statusCode: 502, error: undefined })
})

test('notes of any shape are nothing that is read', async () => {
  const { gateway, sandbox } = await startShop()
  const order = { amountPaise: 100, currency: 'INR', receipt: 'r-1' }
  const { id } = await gateway.createOrder({ ...order, notes: { a: 'b' } })
  for (const notes of [[], ['x'], 'text', null, { a: true }, { a: { b: 1 } }, 7]) {
    Object.assign(sandbox.state.orders.get(id)?.order ?? {}, { notes })
    expect(await gateway.fetchOrder(id)).toMatchObject({ id, receipt: 'r-1' })
  }
})
