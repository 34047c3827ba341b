// The same at a gateway that waits to be asked for the money: what comes too late is never asked for.
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { anOrder, type Opened } from '../../support/builders/orders.ts'
import { statusOf } from '../../support/order-checks.ts'
import {
  expectSoundBooks,
  later,
  payUnheard,
  settle,
  startMemoryLms,
  verify,
  type MemoryLms,
} from '../../support/memory-gateway/lms.ts'

let lms: MemoryLms
beforeAll(async () => {
  lms = await startMemoryLms()
})
afterEach(async () => {
  lms.bank.sendReturns()
  await settle(lms)
  await expectSoundBooks(lms)
})

const stateOf = (id: string) => lms.bank.state.charges.get(id)?.state

async function anOldOrder(): Promise<Opened> {
  const opened = await anOrder(lms)
  await later(lms, 61 * 60)
  await later(lms, 20 * 60)
  expect(await statusOf(lms, opened)).toBe('EXPIRED')
  return opened
}

const raise = ({ courseIds }: Opened) =>
  lms.db.orm.courses.where({ _id: courseIds[0] ?? '' }).update({ pricePaise: 90_000 })

const mailsOf = async ({ buyer }: Opened) =>
  (await lms.db.orm.outbox_mails.where({ to: buyer.user.email }).all()).filter(
    ({ template }) => template === 'late-payment',
  )

describe('a late payment that is held', () => {
  it('is asked for while its offer stands', async () => {
    const opened = await anOldOrder()
    const id = await payUnheard(lms, opened)
    expect((await verify(opened)).status).toBe('FULFILLED')
    expect(stateOf(id)).toBe('taken')
  })

  it('is not asked for when the price has gone up, by nobody who looks, and its buyer reads why', async () => {
    const opened = await anOldOrder()
    await raise(opened)
    const id = await payUnheard(lms, opened)
    expect((await verify(opened)).status).toBe('EXPIRED')
    for (let look = 0; look < 3; look += 1) await later(lms, 3 * 3_600)
    expect(stateOf(id)).toBe('held')
    expect(await mailsOf(opened)).toHaveLength(1)
    const { timeline } = (await lms.db.orm.orders.where({ _id: opened.order.id }).first()) ?? {}
    expect(timeline?.filter(({ event }) => event === 'late payment refused')).toHaveLength(1)
  })

  it('and was refused, goes back when somebody takes it all the same', async () => {
    const opened = await anOldOrder()
    await raise(opened)
    const id = await payUnheard(lms, opened)
    await verify(opened)
    await lms.db.orm.courses.where({ _id: opened.courseIds[0] ?? '' }).update({ pricePaise: 100 })
    lms.bank.take(id)
    await settle(lms)
    expect(await statusOf(lms, opened)).toBe('EXPIRED')
    const refunds = await lms.db.orm.refunds.where({ paymentId: id }).all()
    expect(refunds).toMatchObject([{ cause: 'late', amountPaise: 49_900 }])
  })

  it('told of by ten at once while the price goes up is taken or left, never both', async () => {
    const opened = await anOldOrder()
    const id = await payUnheard(lms, opened)
    const told = Promise.all(Array.from({ length: 10 }, () => verify(opened)))
    await raise(opened)
    const orders = await told
    const status = await statusOf(lms, opened)
    await later(lms, 3 * 3_600)
    expect(await statusOf(lms, opened)).toBe(status)
    expect(orders.length).toBe(10)
    const refunds = await lms.db.orm.refunds.where({ paymentId: id }).all()
    if (status === 'FULFILLED') expect([stateOf(id), refunds]).toEqual(['taken', []])
    else expect(stateOf(id) === 'held' || refunds.length === 1).toBe(true)
  })
})
