import { expect, test } from 'vitest'
import { openSdk, refusalOf } from './sdk.ts'
import { failureOf, startShop } from './shop.ts'

const ORDER = { amount: 50_000, currency: 'INR', receipt: 'r-1' }

test('a new order has exactly the fields that Razorpay documents', async () => {
  const { sandbox } = await startShop()
  const order = await openSdk(sandbox.url).orders.create(ORDER)
  expect(order).toEqual({
    id: expect.stringMatching(/^order_[A-Za-z0-9]{14}$/) as string,
    entity: 'order',
    amount: 50_000,
    amount_paid: 0,
    amount_due: 50_000,
    currency: 'INR',
    receipt: 'r-1',
    offer_id: null,
    status: 'created',
    attempts: 0,
    notes: [],
    created_at: 1_768_471_200,
  })
})

test('the SDK fetches, edits and lists orders', async () => {
  const { sandbox } = await startShop()
  const { orders } = openSdk(sandbox.url)
  const first = await orders.create(ORDER)
  const second = await orders.create({ ...ORDER, receipt: 'r-2', notes: { course: 'c1' } })
  expect(second.notes).toEqual({ course: 'c1' })
  expect(await orders.fetch(first.id)).toEqual(first)
  expect(await orders.edit(first.id, { notes: { seen: 'yes' } })).toMatchObject({
    notes: { seen: 'yes' },
  })
  expect((await orders.all()).items.map(({ id }) => id)).toEqual([second.id, first.id])
  expect((await orders.all({ receipt: 'r-2' })).items).toEqual([second])
  expect((await orders.all({ skip: 1, count: 1 })).items).toMatchObject([{ id: first.id }])
  expect(await orders.fetchPayments(first.id)).toEqual({
    entity: 'collection',
    count: 0,
    items: [],
  })
})

test.each([
  [{ currency: 'INR' }, 'amount: is required.'],
  [{ ...ORDER, amount: 499.5 }, 'The amount must be an integer.'],
  [{ ...ORDER, amount: 99 }, 'Order amount less than minimum amount allowed'],
  [{ ...ORDER, price: 1 }, 'price is/are not required and should not be sent'],
  [{ ...ORDER, receipt: 'x'.repeat(41) }, 'The receipt may not be greater than 40 characters.'],
])('the order %o is refused', async (order, description) => {
  const { sandbox } = await startShop()
  const created = openSdk(sandbox.url).orders.create(order as typeof ORDER)
  expect(await refusalOf(created)).toBe(`400 ${description}`)
  expect(sandbox.ledger().orders).toEqual([])
})

test('notes of more than 15 pairs or 256 characters are refused', async () => {
  const { sandbox } = await startShop()
  const { orders } = openSdk(sandbox.url)
  const many = Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`k${n}`, 'v']))
  expect(await refusalOf(orders.create({ ...ORDER, notes: many }))).toMatch(/^400 .*15/)
  const long = { k: 'v'.repeat(257) }
  expect(await refusalOf(orders.create({ ...ORDER, notes: long }))).toMatch(/^400 .*256/)
})

test('unknown and malformed ids, wrong keys and pages too large are refused as Razorpay does', async () => {
  const { sandbox } = await startShop()
  const { orders } = openSdk(sandbox.url)
  expect(await refusalOf(orders.fetch('order_00000000000000'))).toBe(
    '400 The id provided does not exist',
  )
  expect(await refusalOf(orders.fetch('order_1'))).toBe('400 order_1 is not a valid id')
  expect(await refusalOf(orders.all({ count: 101 }))).toBe(
    '400 The count may not be greater than 100.',
  )
  expect(await refusalOf(openSdk(sandbox.url, { key_secret: 'wrong' }).orders.all())).toBe(
    '401 Authentication failed',
  )
})

test('an unknown route answers 400, and the scheme of the credentials is case-strict', async () => {
  const { sandbox } = await startShop()
  const ask = async (path: string, scheme: string) => {
    const credentials = Buffer.from('rzp_test_0123456789abcd:sandbox-key-secret-0001')
    const answer = await fetch(`${sandbox.url}/v1${path}`, {
      headers: { Authorization: `${scheme} ${credentials.toString('base64')}` },
    })
    const { error } = (await answer.json()) as { error: { description: string } }
    return `${answer.status} ${error.description}`
  }
  expect(await ask('/nothing', 'Basic')).toBe('400 The requested URL was not found on the server.')
  expect(await ask('/orders', 'basic')).toBe('401 Authentication failed')
})

test('a receipt used again is allowed, rejected or answered with the same order', async () => {
  const { sandbox } = await startShop()
  const { orders } = openSdk(sandbox.url)
  const first = await orders.create(ORDER)
  expect((await orders.create(ORDER)).id).not.toBe(first.id)
  const again = () => orders.create(ORDER)
  expect(await sandbox.with({ receipts: 'reject' }, () => refusalOf(again()))).toBe(
    '400 Order receipt should be unique.',
  )
  expect((await sandbox.with({ receipts: 'same' }, again)).id).toBe(first.id)
})

test('the gateway takes a receipt used before for the order it stands for', async () => {
  const { sandbox, gateway } = await startShop()
  const order = { amountPaise: 50_000, currency: 'INR', receipt: 'r-1' }
  const first = await gateway.createOrder(order)
  await sandbox.with({ receipts: 'reject' }, async () => {
    expect((await gateway.createOrder(order)).id).toBe(first.id)
    expect(await failureOf(gateway.createOrder({ ...order, amountPaise: 60_000 }))).toMatchObject({
      kind: 'conflict',
      retryable: false,
    })
  })
})

test('the order that was paid is found among several with the same receipt', async () => {
  const { sandbox, gateway } = await startShop()
  const order = { amountPaise: 50_000, currency: 'INR', receipt: 'r-1' }
  const paid = await gateway.createOrder(order)
  await gateway.createOrder(order)
  sandbox.pay(paid.id)
  expect((await gateway.findOrderByReceipt('r-1'))?.id).toBe(paid.id)
})

test('lists lag behind where fetching by id does not', async () => {
  const { sandbox, gateway, clock } = await startShop()
  await sandbox.with({ listLagMs: 60_000 }, async () => {
    const order = await gateway.createOrder({ amountPaise: 100, currency: 'INR', receipt: 'r-1' })
    expect(await gateway.findOrderByReceipt('r-1')).toBeNull()
    expect((await gateway.fetchOrder(order.id)).id).toBe(order.id)
    clock.advance(60_000)
    expect((await gateway.findOrderByReceipt('r-1'))?.id).toBe(order.id)
  })
})

test('the gateway refuses what Razorpay would refuse, with its reason', async () => {
  const { gateway } = await startShop()
  const small = gateway.createOrder({ amountPaise: 99, currency: 'INR', receipt: 'r-1' })
  expect(await failureOf(small)).toMatchObject({
    kind: 'refused',
    statusCode: 400,
    code: 'BAD_REQUEST_ERROR',
    description: 'Order amount less than minimum amount allowed',
    retryable: false,
  })
})
