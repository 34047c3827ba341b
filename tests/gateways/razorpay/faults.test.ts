import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import type { Fault } from '../../../sandbox/razorpay/api/faults.ts'
import { failureOf, KEY_SECRET, openGateway, startClock, startShop } from './shop.ts'

const ORDER = { amountPaise: 50_000, currency: 'INR', receipt: 'r-1' }
const UNKNOWN_PAYMENT = 'pay_00000000000000'

const FAULTS: [Omit<Fault, 'route'>, Record<string, unknown>][] = [
  [{ kind: 'hang' }, { kind: 'timeout' }],
  [{ kind: 'drip', ms: 20 }, { kind: 'timeout' }],
  [{ kind: 'slow', ms: 2000 }, { kind: 'timeout' }],
  [{ kind: 'reset' }, { kind: 'unreachable', code: 'ECONNRESET' }],
  [{ kind: 'throttle' }, { kind: 'throttled', statusCode: 429 }],
  [
    { kind: 'error', status: 502 },
    { kind: 'server', statusCode: 502 },
  ],
  [
    { kind: 'error', status: 504 },
    { kind: 'server', statusCode: 504 },
  ],
  [{ kind: 'garbage' }, { kind: 'nonsense' }],
  [{ kind: 'huge' }, { kind: 'nonsense', description: 'an answer too large to read' }],
  [{ kind: 'redirect' }, { kind: 'nonsense' }],
]

test.each(FAULTS)(
  '%o is a typed failure without secrets that may be tried again',
  async (fault, expected) => {
    const { sandbox, gateway } = await startShop()
    const order = await gateway.createOrder(ORDER)
    const faults = [{ ...fault, route: 'GET /orders/:id', times: 9 }]
    const failure = await failureOf(sandbox.with({ faults }, () => gateway.fetchOrder(order.id)))
    expect(failure).toMatchObject({ ...expected, retryable: true })
    const shown = inspect(failure, { depth: 20, showHidden: true })
    expect(shown).not.toContain(KEY_SECRET)
    expect(shown).not.toMatch(/authorization|basic /i)
  },
)

test.each(FAULTS)('%o once is got over by reading again', async (fault) => {
  const { sandbox, gateway } = await startShop()
  const order = await gateway.createOrder(ORDER)
  const faults = [{ ...fault, route: 'GET /orders/:id' }]
  expect(await sandbox.with({ faults }, () => gateway.fetchOrder(order.id))).toEqual(order)
})

test.each(FAULTS)('an order created before %o is found by its receipt', async (fault) => {
  const { sandbox, gateway } = await startShop()
  const faults = [{ ...fault, route: 'POST /orders', commit: true }]
  const order = await sandbox.with({ faults }, () => gateway.createOrder(ORDER))
  const committed = sandbox.ledger().orders.map(({ id }) => id)
  expect(committed).toContain(order.id)
  // Only a throttled request is known to have done nothing, and is sent again.
  expect(committed).toHaveLength(fault.kind === 'throttle' ? 2 : 1)
})

test('an order that may or may not exist is not created a second time', async () => {
  const { sandbox, gateway } = await startShop()
  const created = sandbox.with({ faults: [{ route: 'POST /orders', kind: 'error' }] }, () =>
    gateway.createOrder(ORDER),
  )
  expect(await failureOf(created)).toMatchObject({ kind: 'server' })
  const routes = sandbox.requests().map(({ route }) => route)
  expect(routes).toEqual(['POST /orders', 'GET /orders'])
})

test('a throttled creation is tried again', async () => {
  const { sandbox, gateway } = await startShop()
  const faults: Fault[] = [{ route: 'POST /orders', kind: 'throttle', times: 2 }]
  const order = await sandbox.with({ faults }, () => gateway.createOrder(ORDER))
  expect(order).toMatchObject({ status: 'created' })
  expect(sandbox.ledger().orders).toHaveLength(1)
})

test('nobody listening is a failure that tells nothing was done', async () => {
  const { sandbox, clock } = await startShop()
  await sandbox.close()
  expect(await failureOf(openGateway(sandbox.url, clock).createOrder(ORDER))).toMatchObject({
    kind: 'unreachable',
    code: 'ECONNREFUSED',
    unsent: true,
    retryable: true,
  })
})

test('a refusal is not tried again', async () => {
  const { sandbox, gateway } = await startShop()
  expect(await failureOf(gateway.fetchPayment(UNKNOWN_PAYMENT))).toMatchObject({
    kind: 'refused',
    statusCode: 400,
    description: 'The id provided does not exist',
    retryable: false,
  })
  expect(sandbox.requests()).toHaveLength(1)
})

test('wrong credentials are refused', async () => {
  const { sandbox, gateway } = await startShop()
  sandbox.rotateKey({ id: 'rzp_test_rotated0000001', secret: 'rotated' })
  expect(await failureOf(gateway.fetchPayment(UNKNOWN_PAYMENT))).toMatchObject({
    kind: 'refused',
    statusCode: 401,
    description: 'Authentication failed',
  })
})

test('an answer about another payment than asked for is nonsense', async () => {
  const { sandbox, gateway } = await startShop()
  const order = await gateway.createOrder(ORDER)
  const { payment } = sandbox.pay(order.id)
  const row = sandbox.state.payments.get(payment?.id ?? '')
  if (row) sandbox.state.payments.set(UNKNOWN_PAYMENT, row)
  expect(await failureOf(gateway.fetchPayment(UNKNOWN_PAYMENT))).toMatchObject({ kind: 'nonsense' })
})

test('a Razorpay that hangs costs its callers nothing after five silences', async () => {
  const { sandbox, gateway } = await startShop()
  const order = await gateway.createOrder(ORDER)
  await sandbox.with({ faults: [{ route: '*', kind: 'hang', times: 99 }] }, () =>
    Promise.allSettled([1, 2, 3].map(() => gateway.fetchOrder(order.id))),
  )
  const before = sandbox.requests().length
  expect(await failureOf(gateway.fetchOrder(order.id))).toMatchObject({
    kind: 'unreachable',
    code: 'BREAKER_OPEN',
    unsent: true,
  })
  expect(sandbox.requests()).toHaveLength(before)
})

test('after the pause a single call looks whether Razorpay is back', async () => {
  const { sandbox, gateway, clock } = await startShop()
  const order = await gateway.createOrder(ORDER)
  await sandbox.with({ faults: [{ route: '*', kind: 'error', times: 99 }] }, async () => {
    await Promise.allSettled([1, 2].map(() => gateway.fetchOrder(order.id)))
    clock.advance(10_000)
    const before = sandbox.requests().length
    await Promise.allSettled([1, 2, 3].map(() => gateway.fetchOrder(order.id)))
    expect(sandbox.requests()).toHaveLength(before + 1)
  })
  expect(await failureOf(gateway.fetchOrder(order.id))).toMatchObject({ code: 'BREAKER_OPEN' })
  clock.advance(10_000)
  expect(await gateway.fetchOrder(order.id)).toEqual(order)
  expect(await Promise.all([1, 2, 3].map(() => gateway.fetchOrder(order.id)))).toHaveLength(3)
})

test('a clock set back does not keep the calls paused', async () => {
  const clock = startClock()
  const { sandbox } = await startShop({ now: clock.now })
  const gateway = openGateway(sandbox.url, clock)
  const order = await gateway.createOrder(ORDER)
  await sandbox.with({ faults: [{ route: '*', kind: 'error', times: 6 }] }, () =>
    Promise.allSettled([1, 2].map(() => gateway.fetchOrder(order.id))),
  )
  clock.advance(-600_000)
  expect(await gateway.fetchOrder(order.id)).toEqual(order)
})

test('refusals, however many, do not pause the calls', async () => {
  const { gateway } = await startShop()
  for (let n = 0; n < 8; n += 1) {
    expect(await failureOf(gateway.fetchPayment(UNKNOWN_PAYMENT))).toMatchObject({
      kind: 'refused',
    })
  }
})
