// A refund's answer is lost, or Razorpay does not make it now.
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Fault } from '../../../sandbox/razorpay/api/faults.ts'
import { aSale, type Sale } from '../../support/builders/orders.ts'
import { anAdmin, type Person } from '../../support/builders/people.ts'
import { refused } from '../../support/client.ts'
import { startLms, type Lms } from '../../support/harness.ts'
import { deliverWebhooks, expectSound, isIn, ledgerOf } from '../../support/order-checks.ts'

const REFUND = 'POST /payments/:id/refund'

let lms: Lms
let admin: Person
beforeAll(async () => {
  lms = await startLms()
})
beforeEach(async () => {
  admin = await anAdmin(lms)
})
afterEach(async () => {
  lms.clock.advance(20 * 60)
  await lms.work()
  await deliverWebhooks(lms)
  await expectSound(lms)
})

const refundsAt = (paymentId: string) => ledgerOf(lms, paymentId)?.refunds ?? []

const create = (sale: Sale, input = {}) =>
  admin.api.refunds.create.mutate({ orderId: sale.order.id, ...input })

const isOpen = ({ buyer, courseIds }: Sale) => isIn(buyer, courseIds[0] ?? '')

/** The idempotency keys that refunds of this sale were asked with. */
function keysOf({ paymentId }: Sale): (string | null)[] {
  const asked = lms.razorpay
    .requests()
    .filter(({ route, path }) => route === REFUND && path.includes(paymentId))
  return [...new Set(asked.map(({ idempotencyKey }) => idempotencyKey))]
}

async function later(seconds: number): Promise<void> {
  lms.clock.advance(seconds)
  await lms.work()
  await deliverWebhooks(lms)
}

describe('a refund whose answer never comes', () => {
  it.each<Fault>([
    { route: REFUND, kind: 'reset', commit: true, times: 3 },
    { route: REFUND, kind: 'error', commit: true, times: 3 },
    { route: REFUND, kind: 'garbage', commit: true, times: 3 },
    { route: REFUND, kind: 'error', commit: false, times: 3 },
  ])('($kind, done: $commit) is asked again with its key: exactly one', async (fault) => {
    const sale = await aSale(lms)
    await lms.razorpay.with({ drop: 'all', faults: [fault] }, async () => {
      expect((await create(sale)).status).toBe('REQUESTED')
      expect(await isOpen(sale)).toBe(false)
      await later(61)
    })
    expect(refundsAt(sale.paymentId)).toHaveLength(1)
    const [refund] = (await admin.api.refunds.list.query({ orderId: sale.order.id })).items
    expect(refund?.status).toBe('PROCESSED')
    expect(keysOf(sale)).toHaveLength(1)
  })

  it('is known from its own event before it is asked again', async () => {
    const sale = await aSale(lms)
    const faults: Fault[] = [{ route: REFUND, kind: 'reset', commit: true, times: 3 }]
    await lms.razorpay.with({ faults }, () => create(sale))
    await deliverWebhooks(lms)
    const { items } = await admin.api.refunds.list.query({ orderId: sale.order.id })
    expect(items).toMatchObject([{ status: 'PROCESSED', cause: 'admin' }])
  })

  it('and which is refused the second time as done already is no failure', async () => {
    const sale = await aSale(lms)
    const faults: Fault[] = [{ route: REFUND, kind: 'error', commit: true, times: 3 }]
    await lms.razorpay.with({ drop: 'all', faults }, async () => {
      await create(sale)
      // As in test mode, where the key may not be honoured.
      lms.razorpay.state.refundKeys.clear()
      await later(61)
    })
    expect(refundsAt(sale.paymentId)).toHaveLength(1)
    expect(await isOpen(sale)).toBe(false)
  })

  it('and which is refused as done already is believed only when the list has caught up', async () => {
    const sale = await aSale(lms)
    const refundsOf = async () =>
      (await admin.api.refunds.list.query({ orderId: sale.order.id })).items
    const faults: Fault[] = [{ route: REFUND, kind: 'error', commit: true, times: 3 }]
    await lms.razorpay.with({ drop: 'all', listLagMs: 4 * 60_000, faults }, async () => {
      await create(sale)
      lms.razorpay.state.refundKeys.clear()
      for (let round = 0; round < 2; round += 1) {
        await later(61)
        expect(await refundsOf()).toMatchObject([{ status: 'REQUESTED', cause: 'admin' }])
        expect(await isOpen(sale)).toBe(false)
      }
      await later(4 * 60)
    })
    expect(await refundsOf()).toMatchObject([{ status: 'PROCESSED', cause: 'admin' }])
    expect(refundsAt(sale.paymentId)).toHaveLength(1)
    expect(await isOpen(sale)).toBe(false)
  })

  it('of a part, where Razorpay does not honour keys, is looked up before it is asked again', async () => {
    const sale = await aSale(lms)
    // One commit, and none of the gateway's own quick repeats gets through.
    const faults: Fault[] = [
      { route: REFUND, kind: 'error', commit: true },
      { route: REFUND, kind: 'error', times: 2 },
    ]
    await lms.razorpay.with({ drop: 'all', faults }, async () => {
      expect((await create(sale, { amountPaise: 1_000 })).status).toBe('REQUESTED')
      lms.razorpay.state.refundKeys.clear()
      await later(61)
    })
    expect(refundsAt(sale.paymentId)).toMatchObject([{ amount: 1_000 }])
  })
})

describe('a refund that Razorpay does not make now', () => {
  it('being still busy with its twin waits and asks with the same key', async () => {
    const sale = await aSale(lms)
    const faults: Fault[] = [{ route: REFUND, kind: 'slow', ms: 300 }]
    await lms.razorpay.with({ drop: 'all', faults }, async () => {
      const [one, two] = await Promise.all([
        create(sale, { idempotencyKey: 'a-twin-of-another' }),
        create(sale, { idempotencyKey: 'a-twin-of-another' }),
      ])
      expect(two.id).toBe(one.id)
      await later(61)
    })
    expect(keysOf(sale)).toHaveLength(1)
    expect(refundsAt(sale.paymentId)).toHaveLength(1)
  })

  it('for want of balance stays requested, is seen by an administrator, and is made later', async () => {
    const sale = await aSale(lms)
    await lms.razorpay.with({ balancePaise: 0 }, async () => {
      const refund = await create(sale)
      expect(refund).toMatchObject({ status: 'REQUESTED' })
      expect(refund.error).toMatch(/balance/)
      const stuck = await admin.api.orders.stuck.query()
      expect(stuck.refunds.map(({ id }) => id)).toContain(refund.id)
    })
    await later(16 * 60)
    expect(refundsAt(sale.paymentId)).toHaveLength(1)
    expect(await isOpen(sale)).toBe(false)
  })

  it.each([400, 404])('answering %i in words that are new is asked again', async (status) => {
    const sale = await aSale(lms)
    const faults: Fault[] = [{ route: REFUND, kind: 'error', status }]
    const refund = await lms.razorpay.with({ faults }, () => create(sale))
    expect(refund.status).toBe('REQUESTED')
    expect(refund.error).toMatch(/HTTP 4/)
    const stuck = await admin.api.orders.stuck.query()
    expect(stuck.refunds.map(({ id }) => id)).toContain(refund.id)
    await later(61)
    expect(refundsAt(sale.paymentId)).toHaveLength(1)
    expect(await isOpen(sale)).toBe(false)
  })

  it('because of a dispute we have not heard of is refused, and leaves the course open', async () => {
    const sale = await aSale(lms)
    await lms.razorpay.with({ drop: 'all' }, async () => {
      const { id } = lms.razorpay.openDispute({ paymentId: sale.paymentId })
      await refused(create(sale), 'REFUND_REFUSED')
      expect(await isOpen(sale)).toBe(true)
      lms.razorpay.moveDispute(id, 'won')
      await create(sale)
    })
    expect(refundsAt(sale.paymentId)).toHaveLength(1)
  })

  it('and waits, ends when the bank has given the money back meanwhile', async () => {
    const sale = await aSale(lms)
    await lms.razorpay.with({ balancePaise: 0 }, async () => {
      await create(sale)
      const { id } = lms.razorpay.openDispute({ paymentId: sale.paymentId })
      lms.razorpay.moveDispute(id, 'lost')
      await deliverWebhooks(lms)
    })
    await later(61)
    const { items } = await admin.api.refunds.list.query({ orderId: sale.order.id })
    expect(items).toMatchObject([{ status: 'FAILED' }])
    expect(items[0]?.error).toMatch(/lost/)
    expect(refundsAt(sale.paymentId)).toEqual([])
    expect(await isOpen(sale)).toBe(false)
  })

  it('is made by hand sooner where an administrator redrives the order', async () => {
    const sale = await aSale(lms)
    await lms.razorpay.with({ balancePaise: 0 }, () => create(sale))
    const order = await admin.api.orders.redrive.mutate({ orderId: sale.order.id })
    expect(order.refunds).toMatchObject([{ status: 'PROCESSED' }])
  })

  it('because the payment is too old fails, and access is as it was', async () => {
    const sale = await aSale(lms)
    const row = lms.razorpay.state.payments.get(sale.paymentId)
    if (row) row.createdMs -= 200 * 86_400_000
    const issues = await refused(create(sale), 'REFUND_REFUSED')
    expect(issues[0]?.message).toMatch(/older than six months/)
    expect(await isOpen(sale)).toBe(true)
  })

  it('because the dashboard gave all back already makes no second one', async () => {
    const sale = await aSale(lms)
    await lms.razorpay.with({ drop: 'all' }, async () => {
      lms.razorpay.refund(sale.paymentId)
      await create(sale).catch(() => undefined)
      await later(61)
    })
    expect(refundsAt(sale.paymentId)).toHaveLength(1)
    expect(await isOpen(sale)).toBe(false)
  })
})
