import { beforeAll, describe, expect, it } from 'vitest'
import { withLease } from '../../src/lease.ts'
import { anOrder, aSale, pay } from '../support/builders/orders.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { expectSound, isIn, statusOf } from '../support/order-checks.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
  lms.razorpay.webhooks.drop = 'all'
})

describe('the sweep', () => {
  it('finds a payment of which neither browser nor webhook told', async () => {
    const opened = await anOrder(lms)
    pay(lms, opened)
    lms.clock.advance(61)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(true)
    await expectSound(lms)
  })

  it('leaves an unpaid order open until its hour is over', async () => {
    const opened = await anOrder(lms)
    lms.clock.advance(50 * 60)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('CREATED')
    lms.clock.advance(11 * 60)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('EXPIRED')
  })

  it('lets a payment win that comes after its order has expired', async () => {
    const opened = await anOrder(lms)
    lms.clock.advance(61 * 60)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('EXPIRED')
    pay(lms, opened)
    lms.clock.advance(61 * 60)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    await expectSound(lms)
  })

  it('captures a payment that was only authorized', async () => {
    const opened = await anOrder(lms)
    pay(lms, opened, { outcome: 'authorized' })
    lms.clock.advance(61)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    await expectSound(lms)
  })

  it('adopts a refund made in the dashboard', async () => {
    const sale = await aSale(lms)
    lms.razorpay.refund(sale.paymentId)
    lms.clock.advance(61)
    await lms.work()
    expect(await isIn(sale.buyer, sale.courseIds[0] ?? '')).toBe(false)
    await expectSound(lms)
  })

  it('asks again later when Razorpay does not answer', async () => {
    const opened = await anOrder(lms)
    pay(lms, opened)
    await lms.razorpay.with({ faults: [{ route: '*', kind: 'error', times: 50 }] }, async () => {
      lms.clock.advance(61)
      await lms.work()
    })
    expect(await statusOf(lms, opened)).toBe('CREATED')
    lms.clock.advance(61)
    await lms.work()
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    await expectSound(lms)
  })
})

describe('a lease', () => {
  it('is held by one run at a time and free again after it', async () => {
    let running = 0
    let most = 0
    const runs = await Promise.all(
      Array.from({ length: 8 }, () =>
        withLease(lms.deps, 'one at a time', async (keep) => {
          running += 1
          most = Math.max(most, running)
          expect(await keep()).toBe(true)
          running -= 1
        }),
      ),
    )
    expect(most).toBe(1)
    expect(runs).toContain(true)
    expect(await withLease(lms.deps, 'one at a time', () => Promise.resolve())).toBe(true)
  })

  it('of one that died is taken over after a minute', async () => {
    const at = lms.clock.now()
    const until = new Date(at.getTime() + 60_000)
    await lms.db.orm.leases.create({ name: 'of the dead', holder: 'nobody', until })
    const take = () => withLease(lms.deps, 'of the dead', () => Promise.resolve())
    expect(await take()).toBe(false)
    lms.clock.advance(61)
    expect(await take()).toBe(true)
  })

  it('that ends in a far future, the clock having been set back, holds nobody up', async () => {
    const until = new Date(lms.clock.now().getTime() + 3_600_000)
    await lms.db.orm.leases.create({ name: 'from the future', holder: 'nobody', until })
    expect(await withLease(lms.deps, 'from the future', () => Promise.resolve())).toBe(true)
  })

  it('tells a slow holder that it is lost', async () => {
    const answers: boolean[] = []
    await withLease(lms.deps, 'slow', async (keep) => {
      answers.push(await keep())
      lms.clock.advance(61)
      answers.push(await withLease(lms.deps, 'slow', () => Promise.resolve()))
      answers.push(await keep())
    })
    expect(answers).toEqual([true, true, false])
  })
})
