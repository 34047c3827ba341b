import { describe, expect, it } from 'vitest'
import type { Conditions } from '../../../sandbox/razorpay/control/conditions.ts'
import type { RazorpaySandbox } from '../../../sandbox/razorpay/server.ts'
import { placeOrder, startShop } from './shop.ts'

/** One of each kind, and each other than at the start. */
const OTHER: Conditions = {
  drop: ['payment.failed'],
  copies: 3,
  hold: true,
  refunds: 'pending',
  balancePaise: 7,
  listLagMs: 1_000,
  webhooksEnabled: false,
  faults: [{ route: '*', kind: 'hang', times: 9 }],
}

function conditionsOf({ webhooks, settings, state, faults }: RazorpaySandbox): unknown {
  const isEnabled = state.endpoints.map(({ webhook }) => webhook.active)
  return structuredClone({ webhooks, settings, isEnabled, faults: faults.list() })
}

const failed = new Error('the test failed here')
const fail = () => {
  throw failed
}

describe('conditions set for a while', () => {
  it('stand as long as what is done under them', async () => {
    const { sandbox } = await startShop()
    const before = conditionsOf(sandbox)
    await sandbox.with(OTHER, async () => {
      await Promise.resolve()
      expect(sandbox.webhooks).toMatchObject({ drop: ['payment.failed'], copies: 3, hold: true })
      expect(sandbox.settings).toMatchObject({ refunds: 'pending', balancePaise: 7 })
      expect(sandbox.state.endpoints).toMatchObject([{ webhook: { active: false } }])
      expect(sandbox.faults.list()).toMatchObject([{ kind: 'hang' }])
    })
    expect(conditionsOf(sandbox)).toEqual(before)
  })

  it('stand as well for what begins only when it is awaited, as queries do', async () => {
    const { sandbox } = await startShop()
    const query: PromiseLike<number> = {
      then: (resolve, reject) => Promise.resolve(sandbox.webhooks.copies).then(resolve, reject),
    }
    expect(await sandbox.with({ copies: 3 }, () => query)).toBe(3)
    expect(sandbox.webhooks.copies).toBe(1)
  })

  it('leave nothing behind when it throws, at once or later', async () => {
    const { sandbox } = await startShop()
    const before = conditionsOf(sandbox)
    expect(() => sandbox.with(OTHER, fail)).toThrow(failed)
    expect(conditionsOf(sandbox)).toEqual(before)
    await expect(sandbox.with(OTHER, () => Promise.resolve().then(fail))).rejects.toBe(failed)
    expect(conditionsOf(sandbox)).toEqual(before)
  })

  it('give way to those set within them, and stand again', async () => {
    const { sandbox } = await startShop()
    sandbox.with({ copies: 2, refunds: 'failed' }, () => {
      const outer = conditionsOf(sandbox)
      expect(() => sandbox.with({ ...OTHER, copies: 5 }, fail)).toThrow(failed)
      expect(conditionsOf(sandbox)).toEqual(outer)
    })
    expect(sandbox.webhooks.copies).toBe(1)
  })

  it('end in any order where they overlap', async () => {
    const { sandbox } = await startShop()
    const before = conditionsOf(sandbox)
    const ends: (() => void)[] = []
    const standing = [2, 3, 4].map((copies) =>
      sandbox.with({ ...OTHER, copies }, () => new Promise<void>((end) => ends.push(end))),
    )
    for (const at of [1, 0, 2]) {
      ends[at]?.()
      await standing[at]
      if (at !== 2) expect(sandbox.webhooks.copies).toBe(4)
    }
    expect(conditionsOf(sandbox)).toEqual(before)
  })

  it('put back what was there, whatever has changed it meanwhile', async () => {
    const shop = await startShop()
    const { sandbox } = shop
    const orderId = await placeOrder(shop)
    await sandbox.with({ hold: true, balancePaise: 0 }, async () => {
      sandbox.pay(orderId)
      expect(sandbox.settings.balancePaise).toBe(500)
      await sandbox.release()
    })
    expect([sandbox.webhooks.hold, sandbox.settings.balancePaise]).toEqual([false, null])
  })

  it('take no fault away but their own', async () => {
    const { sandbox } = await startShop()
    sandbox.faults.add({ route: 'GET /orders', kind: 'error', times: 2 })
    sandbox.with(OTHER, () => undefined)
    expect(sandbox.faults.list()).toMatchObject([{ route: 'GET /orders', times: 2 }])
  })
})

describe('held events', () => {
  it.each([
    ['natural', ['payment.authorized', 'payment.captured', 'order.paid']],
    ['reversed', ['order.paid', 'payment.captured', 'payment.authorized']],
  ] as const)('are released in the %s order', async (order, names) => {
    const shop = await startShop()
    const orderId = await placeOrder(shop)
    shop.sandbox.with({ hold: true }, () => shop.sandbox.pay(orderId))
    await shop.sandbox.release(order)
    expect(shop.receiver.received.map(({ event }) => event)).toEqual(names)
  })
})
