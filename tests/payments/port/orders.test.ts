// The rows of docs/payments.md's table that are about an order and its payments.
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { aStudent } from '../../support/builders/people.ts'
import { aPublishedCourse } from '../../support/builders/courses.ts'
import { aCourseId, anOrder, type Opened } from '../../support/builders/orders.ts'
import { grantCount, isIn, statusOf } from '../../support/order-checks.ts'
import { refused } from '../../support/client.ts'
import type { Fault } from '../../support/memory-gateway/faults.ts'
import {
  aSale,
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
  // A breaker that a test has opened closes again.
  lms.clock.advance(11)
  lms.bank.sendReturns()
  await settle(lms)
  await expectSoundBooks(lms)
})

const intentsOf = (orderId: string) =>
  [...lms.bank.state.intents.values()].filter(({ ref }) => ref === orderId)

const always = (kind: Fault['kind'], route = '*') => [{ route, kind, times: 1_000 }]

describe('making an order at the gateway', () => {
  it.each(['cut', 'broken', 'nonsense', 'hang'] as const)(
    'whose answer is lost (%s) makes one order',
    async (kind) => {
      const faults = [{ route: 'make intent', kind, isDone: true }]
      const opened = await lms.bank.with({ faults }, () => anOrder(lms))
      expect(intentsOf(opened.order.id)).toMatchObject([{ id: opened.order_id }])
      await payUnheard(lms, opened)
      expect((await verify(opened)).status).toBe('FULFILLED')
    },
  )

  it.each(['cut', 'broken', 'busy', 'nonsense', 'hang'] as const)(
    'that goes on failing (%s) is told as come again, and the buyer finds it then',
    async (kind) => {
      const cart = { buyer: await aStudent(lms), courseIds: [await aCourseId(lms)] }
      const { create } = cart.buyer.api.orders
      await lms.bank.with({ faults: [{ route: '*', kind, isDone: true, times: 1_000 }] }, () =>
        refused(create.mutate({ courseIds: cart.courseIds }), 'PAYMENT_GATEWAY_DOWN'),
      )
      lms.clock.advance(11)
      const opened = await anOrder(lms, cart)
      expect(intentsOf(opened.order.id)).toHaveLength(1)
    },
  )

  it('whose dialog cannot be asked for is told as come again', async () => {
    const cart = { buyer: await aStudent(lms), courseIds: [await aCourseId(lms)] }
    const { create } = cart.buyer.api.orders
    await lms.bank.with({ faults: always('broken', 'show intent') }, () =>
      refused(create.mutate({ courseIds: cart.courseIds }), 'PAYMENT_GATEWAY_DOWN'),
    )
    expect((await anOrder(lms, cart)).order_id).toMatch(/^mi_/)
  })

  it('that hangs leaves sign-in and lessons alone, and is left alone itself', async () => {
    const buyer = await aStudent(lms)
    const { course, lessonId, owner } = await aPublishedCourse(lms)
    const buy = () =>
      refused(buyer.api.orders.create.mutate({ courseIds: [course.id] }), 'PAYMENT_GATEWAY_DOWN')
    await lms.bank.with({ faults: always('hang') }, async () => {
      for (let time = 0; time < 3; time += 1) await buy()
      const asked = lms.bank.api.seen.length
      await buy()
      expect(lms.bank.api.seen).toHaveLength(asked)
      await buyer.api.auth.login.mutate({ email: buyer.user.email, password: buyer.password })
      await owner.api.lessons.open.query({ courseId: course.id, lessonId })
    })
  })

  it('that we died on before noting it is linked by the webhook of its payment', async () => {
    const opened = await anOrder(lms)
    await lms.db.orm.orders
      .where({ _id: opened.order.id })
      .update((order) => [order.gatewayOrderId.unset()])
    lms.bank.pay(opened.order_id)
    await settle(lms)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('that we died on is found by the sweep once the lists have caught up', async () => {
    const opened = await anOrder(lms)
    await lms.db.orm.orders
      .where({ _id: opened.order.id })
      .update((order) => [order.gatewayOrderId.unset()])
    await payUnheard(lms, opened)
    await lms.bank.with({ listLagMs: 10 * 60_000 }, async () => {
      await later(lms, 61)
      expect(await statusOf(lms, opened)).toBe('CREATED')
      await later(lms, 10 * 60)
    })
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })
})

describe('a payment', () => {
  it('whose money is asked for, and the answer is lost, is taken once', async () => {
    const opened = await anOrder(lms)
    await payUnheard(lms, opened)
    const faults = [{ route: 'take charge', kind: 'cut', isDone: true } as const]
    const order = await lms.bank.with({ drop: 'all', faults }, () => verify(opened))
    expect(order.status).toBe('FULFILLED')
  })

  it('whose money cannot be asked for now is undecided, and the next try decides', async () => {
    const opened = await anOrder(lms)
    await payUnheard(lms, opened)
    await lms.bank.with({ faults: always('broken', 'take charge') }, () =>
      refused(verify(opened), 'PAYMENT_GATEWAY_DOWN'),
    )
    lms.clock.advance(11)
    expect((await verify(opened)).status).toBe('FULFILLED')
  })

  it('that its bank confirms after the order has expired still counts', async () => {
    const opened = await anOrder(lms)
    const paymentId = await payUnheard(lms, opened, { outcome: 'declined' })
    await later(lms, 61 * 60)
    expect(await statusOf(lms, opened)).toBe('EXPIRED')
    lms.bank.holdLate(paymentId)
    await settle(lms)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })

  it('whose authorization has lapsed before we asked is no payment', async () => {
    const opened = await anOrder(lms)
    await payUnheard(lms, opened)
    lms.clock.advance(4 * 24 * 3_600)
    await lms.bank.with({ drop: 'all' }, () => {
      lms.bank.tick()
    })
    await later(lms, 61)
    expect(await statusOf(lms, opened)).toBe('EXPIRED')
  })

  it.each([
    ['less', { paise: 49_800 }],
    ['more', { paise: 50_000 }],
    ['another currency', { unit: 'eur' }],
  ])('of %s is not asked for, and one taken all the same is put in review', async (_what, odd) => {
    const opened = await anOrder(lms)
    const { id } = lms.bank.pay(opened.order_id, odd)
    await settle(lms)
    expect(await statusOf(lms, opened)).toBe('CREATED')
    lms.bank.take(id)
    await settle(lms)
    expect(await statusOf(lms, opened)).toBe('REVIEW')
    expect(await isIn(opened.buyer, opened.courseIds[0] ?? '')).toBe(false)
    lms.bank.pay(opened.order_id, { force: true })
    await settle(lms)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
  })
})

describe('two payments for the same goods', () => {
  /** Two held payments of one order, the earlier first. */
  async function twoFor(opened: Opened): Promise<[string, string]> {
    const first = await payUnheard(lms, opened)
    lms.clock.advance(5)
    return [first, await payUnheard(lms, opened, { force: true })]
  }

  const stateOf = (id: string) => lms.bank.state.charges.get(id)?.state

  it('of one order: the earlier is asked for, and the later never', async () => {
    const opened = await anOrder(lms)
    const [first, second] = await twoFor(opened)
    expect((await verify(opened)).status).toBe('FULFILLED')
    await later(lms, 61)
    expect([stateOf(first), stateOf(second)]).toEqual(['taken', 'held'])
  })

  it('of one order, both taken, leave one: the other is given back whole', async () => {
    const opened = await anOrder(lms)
    const [first, second] = await twoFor(opened)
    await verify(opened)
    lms.bank.take(second)
    await settle(lms)
    const refunds = await lms.db.orm.refunds.where({ orderId: opened.order.id }).all()
    expect(refunds).toMatchObject([
      { paymentId: second, cause: 'duplicate', amountPaise: 49_900, status: 'PENDING' },
    ])
    expect(stateOf(first)).toBe('taken')
    expect(await grantCount(lms, opened.buyer, opened.courseIds[0] ?? '')).toBe(1)
  })

  it('told of at the same moment leave one, whichever it is', async () => {
    const opened = await anOrder(lms)
    lms.bank.pay(opened.order_id, { outcome: 'double' })
    await settle(lms)
    await later(lms, 61)
    const payments = await lms.db.orm.payments.where({ orderId: opened.order.id }).all()
    const kept = payments.filter(({ status }) => status === 'captured')
    expect(kept).toHaveLength(1)
    expect(await grantCount(lms, opened.buyer, opened.courseIds[0] ?? '')).toBe(1)
  })

  it('of two orders leave one: the line that the buyer holds is given back', async () => {
    const first = await anOrder(lms)
    await later(lms, 61 * 60)
    const { buyer, courseIds } = first
    await buyer.api.auth.login.mutate({ email: buyer.user.email, password: buyer.password })
    const second = await aSale(lms, { buyer, courseIds })
    const late = await payUnheard(lms, first)
    expect((await verify(first)).status).toBe('FULFILLED')
    const refunds = await lms.db.orm.refunds.where({ paymentId: late }).all()
    expect(refunds).toMatchObject([{ cause: 'duplicate', lineNos: ['1'] }])
    expect(await grantCount(lms, buyer, courseIds[0] ?? '')).toBe(1)
    expect(second.paymentId).not.toBe(late)
  })

  it('of somebody who has left go back', async () => {
    const opened = await anOrder(lms)
    await opened.buyer.api.account.delete.mutate({ password: opened.buyer.password })
    const { id } = lms.bank.pay(opened.order_id)
    await settle(lms)
    const refunds = await lms.db.orm.refunds.where({ paymentId: id }).all()
    expect(refunds).toMatchObject([{ cause: 'duplicate', amountPaise: 49_900 }])
  })
})

describe('ten that tell of one payment at once', () => {
  it('let its buyer in once', async () => {
    const opened = await anOrder(lms)
    await lms.bank.with({ copies: 5 }, async () => {
      lms.bank.pay(opened.order_id)
      const orders = await Promise.all(Array.from({ length: 5 }, () => verify(opened)))
      expect(new Set(orders.map(({ id }) => id))).toEqual(new Set([opened.order.id]))
      await settle(lms)
    })
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    expect(await grantCount(lms, opened.buyer, opened.courseIds[0] ?? '')).toBe(1)
  })
})
