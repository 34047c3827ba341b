// The rows of docs/payments.md's table that are about a refund on its way.
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { anAdmin, type Person } from '../../support/builders/people.ts'
import { isIn } from '../../support/order-checks.ts'
import type { Sale } from '../../support/builders/orders.ts'
import { refused } from '../../support/client.ts'
import {
  aSale,
  expectSoundBooks,
  later,
  settle,
  startMemoryLms,
  type MemoryLms,
} from '../../support/memory-gateway/lms.ts'

let lms: MemoryLms
let admin: Person
beforeAll(async () => {
  lms = await startMemoryLms()
})
beforeEach(async () => {
  admin = await anAdmin(lms)
})
afterEach(async () => {
  await later(lms, 20 * 60)
  lms.bank.sendReturns()
  await settle(lms)
  await expectSoundBooks(lms)
})

const create = (sale: Sale, input = {}) =>
  admin.api.refunds.create.mutate({ orderId: sale.order.id, ...input })

const refundsOf = async ({ order }: Sale) =>
  (await admin.api.refunds.list.query({ orderId: order.id })).items

const returnsOf = ({ paymentId }: Sale) =>
  [...lms.bank.state.returns.values()].filter(({ chargeId }) => chargeId === paymentId)

const isOpen = ({ buyer, courseIds }: Sale) => isIn(buyer, courseIds[0] ?? '')

describe('a refund whose answer never comes', () => {
  it.each([
    ['cut', true],
    ['hang', true],
    ['broken', true],
    ['nonsense', true],
    ['broken', false],
  ] as const)('(%s, done: %s) is asked again with its key: exactly one', async (kind, isDone) => {
    const sale = await aSale(lms)
    const faults = [{ route: 'make return', kind, isDone, times: 3 }]
    await lms.bank.with({ drop: 'all', faults }, async () => {
      expect((await create(sale)).status).toBe('REQUESTED')
      expect(await isOpen(sale)).toBe(false)
    })
    await later(lms, 61)
    expect(returnsOf(sale)).toHaveLength(1)
    lms.bank.sendReturns()
    await settle(lms)
    expect(await refundsOf(sale)).toMatchObject([{ status: 'PROCESSED', cause: 'admin' }])
  })

  it('is known by its key, which its event carries, before it is asked again', async () => {
    const sale = await aSale(lms)
    const faults = [{ route: 'make return', kind: 'cut', isDone: true, times: 3 } as const]
    await lms.bank.with({ faults }, () => create(sale))
    await settle(lms)
    expect(await refundsOf(sale)).toMatchObject([{ status: 'PENDING', cause: 'admin' }])
  })

  it('is looked up where the gateway has forgotten the key since', async () => {
    const sale = await aSale(lms)
    const faults = [
      { route: 'make return', kind: 'cut', isDone: true } as const,
      { route: 'make return', kind: 'broken', times: 2 } as const,
    ]
    await lms.bank.with({ drop: 'all', faults }, async () => {
      await create(sale, { amountPaise: 1_000 })
      lms.clock.advance(25 * 3_600)
    })
    await later(lms, 61)
    expect(returnsOf(sale)).toMatchObject([{ paise: 1_000 }])
    admin = await anAdmin(lms)
    expect(await refundsOf(sale)).toMatchObject([{ status: 'PENDING', cause: 'admin' }])
  })

  it('and that is refused as done already is no failure, once the list has caught up', async () => {
    const sale = await aSale(lms)
    const faults = [{ route: 'make return', kind: 'broken', isDone: true, times: 3 } as const]
    await lms.bank.with({ drop: 'all', listLagMs: 4 * 60_000, faults }, async () => {
      await create(sale)
      lms.bank.sendReturns()
      lms.bank.state.once.clear()
      await later(lms, 61)
      expect(await refundsOf(sale)).toMatchObject([{ status: 'REQUESTED', cause: 'admin' }])
      await later(lms, 4 * 60)
    })
    expect(await refundsOf(sale)).toMatchObject([{ status: 'PROCESSED', cause: 'admin' }])
    expect(returnsOf(sale)).toHaveLength(1)
    expect(await isOpen(sale)).toBe(false)
  })

  it('and that is refused while it still waits for the bank is no failure either', async () => {
    const sale = await aSale(lms)
    const faults = [{ route: 'make return', kind: 'broken', isDone: true, times: 3 } as const]
    await lms.bank.with({ drop: 'all', listLagMs: 4 * 60_000, faults }, async () => {
      await create(sale)
      lms.bank.state.once.clear()
      await later(lms, 61)
    })
    await later(lms, 5 * 60)
    expect(await refundsOf(sale)).toMatchObject([{ status: 'PENDING', cause: 'admin' }])
    expect(await isOpen(sale)).toBe(false)
  })
})

describe('a refund that the gateway does not make now', () => {
  it('for want of money stays asked for, is shown, and is made later', async () => {
    const sale = await aSale(lms)
    await lms.bank.with({ purse: 0 }, async () => {
      const refund = await create(sale)
      expect(refund).toMatchObject({ status: 'REQUESTED', error: 'purse_empty' })
      const stuck = await admin.api.orders.stuck.query()
      expect(stuck.refunds.map(({ id }) => id)).toContain(refund.id)
    })
    await later(lms, 61)
    expect(returnsOf(sale)).toHaveLength(1)
    expect(await isOpen(sale)).toBe(false)
  })

  it.each(['busy', 'refusing'] as const)('(%s) is asked again', async (kind) => {
    const sale = await aSale(lms)
    const faults = [{ route: 'make return', kind, times: 3 }]
    expect(await lms.bank.with({ faults }, () => create(sale))).toMatchObject({
      status: 'REQUESTED',
    })
    await later(lms, 61)
    expect(returnsOf(sale)).toHaveLength(1)
  })

  it('because the payment is too old ends, and access is as it was', async () => {
    const sale = await aSale(lms)
    const charge = lms.bank.state.charges.get(sale.paymentId)
    Object.assign(charge ?? {}, { madeAt: new Date(0) })
    const issues = await refused(create(sale), 'REFUND_REFUSED')
    expect(issues).toMatchObject([{ message: 'too_old' }])
    expect(await isOpen(sale)).toBe(true)
  })

  it('because of a claim we have not heard of ends, and access is as it was', async () => {
    const sale = await aSale(lms)
    await lms.bank.with({ drop: 'all' }, async () => {
      const { id } = lms.bank.fileClaim(sale.paymentId)
      await refused(create(sale), 'REFUND_REFUSED')
      expect(await isOpen(sale)).toBe(true)
      lms.bank.moveClaim(id, 'rejected')
    })
    expect((await create(sale)).status).toBe('PENDING')
  })

  it.each(['sent', 'queued'] as const)(
    'because the dashboard gave all back (%s) makes no second one',
    async (returns) => {
      const sale = await aSale(lms)
      await lms.bank.with({ drop: 'all', returns }, async () => {
        lms.bank.giveBack(sale.paymentId)
        await create(sale).catch(() => undefined)
      })
      await later(lms, 61)
      expect(returnsOf(sale)).toHaveLength(1)
      expect(await isOpen(sale)).toBe(false)
    },
  )

  it('waits, and ends when the bank has given the money back meanwhile', async () => {
    const sale = await aSale(lms)
    await lms.bank.with({ purse: 0 }, async () => {
      await create(sale)
      const { id } = lms.bank.fileClaim(sale.paymentId)
      lms.bank.moveClaim(id, 'upheld')
      await settle(lms)
    })
    await later(lms, 61)
    expect(await refundsOf(sale)).toMatchObject([{ status: 'FAILED' }])
    expect(returnsOf(sale)).toEqual([])
    expect(await isOpen(sale)).toBe(false)
  })
})

describe('ten administrators at once', () => {
  it('give a payment back once', async () => {
    const sale = await aSale(lms)
    const made = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => create(sale, { idempotencyKey: `theirs-${n}` })),
    )
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(returnsOf(sale)).toMatchObject([{ paise: 49_900 }])
  })
})
