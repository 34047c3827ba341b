import { beforeAll, describe, expect, it } from 'vitest'
import { aCourseId, anOrder, aSale, pay } from '../support/builders/orders.ts'
import { anAdmin, aStudent } from '../support/builders/people.ts'
import { visitorAt } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { startKillableServer, type KillableServer } from '../support/killable-server.ts'
import { expectSound, grantCount, isIn, statusOf, ledgerOf } from '../support/order-checks.ts'
import { postEvent } from '../support/webhooks.ts'

// Two at a time: starting a server is what takes time here.
const LANES = 2
const MANY = 60

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
  lms.razorpay.webhooks.drop = 'all'
})

/**
 * Kills one server after another, each a write later than the one before, until one lives through it all;
 * `prepare` makes what each works on. Answers that, and the writes of the survivor.
 */
async function killAtEachWrite<T>(
  prepare: () => Promise<T>,
  act: (server: KillableServer, prepared: T) => Promise<void>,
): Promise<{ left: T[]; writes: string[] }> {
  let nth = 0
  const survivors: string[][] = []
  const left: T[] = []
  const lane = async () => {
    while (survivors.length === 0 && nth < MANY) {
      const server = await startKillableServer(lms)
      try {
        const [prepared] = await Promise.all([prepare(), server.idle()])
        left.push(prepared)
        nth += 1
        server.killAtWrite(nth)
        await Promise.race([act(server, prepared), server.exited])
        if (!server.isKilled()) survivors.push(server.writes())
      } finally {
        await server.close()
      }
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return { left, writes: survivors[0] ?? [] }
}

/** Hands the captured event to a server as Razorpay does, and waits until it was worked on. */
async function deliver(server: KillableServer, order_id: string): Promise<void> {
  const delivery = lms.razorpay
    .deliveries()
    .find(({ event, body }) => event === 'payment.captured' && body.includes(order_id))
  const { body = '', signature = '', eventId = '' } = delivery ?? {}
  await postEvent(server.url, { body, signature, eventId }).catch(() => undefined)
  while (!server.isKilled()) {
    const event = await lms.db.orm.webhook_events.where({ eventId }).first()
    if (event?.state === 'DONE') return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('a server killed between any two writes', () => {
  it('of a fulfillment leaves nothing that the next one does not finish', async () => {
    const admin = await anAdmin(lms)
    await admin.api.coupons.create.mutate({
      code: 'TENTH',
      kind: 'PERCENT',
      value: 10,
      maxTotal: 1000,
      maxPerUser: null,
    })
    const courseIds = [await aCourseId(lms, 20_000), await aCourseId(lms, 30_000)]
    const { left, writes } = await killAtEachWrite(
      () => anOrder(lms, { courseIds, couponCode: 'TENTH' }),
      async (server, opened) => {
        pay(lms, opened)
        await deliver(server, opened.order_id)
      },
    )
    lms.clock.advance(61)
    await lms.work()
    for (const opened of left) {
      expect(await statusOf(lms, opened)).toBe('FULFILLED')
      for (const courseId of courseIds) {
        expect(await grantCount(lms, opened.buyer, courseId)).toBe(1)
        expect(await isIn(opened.buyer, courseId)).toBe(true)
      }
      const key = `receipt:${opened.order.id}`
      expect(await lms.db.orm.outbox_mails.where({ key }).all()).toHaveLength(1)
    }
    await expectSound(lms)
    expect(left.length).toBeGreaterThan(writes.length)
    expect([...new Set(writes.map((write) => write.split(' ')[1]))].sort()).toEqual([
      'coupon_uses',
      'enrollments',
      'invoices',
      'orders',
      'outbox_mails',
      'payments',
      'webhook_events',
    ])
  }, 240_000)

  it('of a refund leaves one refund and no access', async () => {
    const admin = await anAdmin(lms)
    const { left, writes } = await killAtEachWrite(
      async () => aSale(lms, { buyer: await aStudent(lms), pricePaise: 20_000 }),
      async (server, { order }) => {
        await visitorAt(server.url, admin)
          .api.refunds.create.mutate({ orderId: order.id, idempotencyKey: 'the-one-refund' })
          .catch(() => undefined)
      },
    )
    for (const { order } of left) {
      await admin.api.refunds.create.mutate({ orderId: order.id, idempotencyKey: 'the-one-refund' })
    }
    lms.clock.advance(61)
    await lms.work()
    for (const { paymentId, buyer, courseIds } of left) {
      expect(ledgerOf(lms, paymentId)).toMatchObject({
        refunded: 20_000,
        refunds: [{ amount: 20_000 }],
      })
      expect(await isIn(buyer, courseIds[0] ?? '')).toBe(false)
    }
    await expectSound(lms)
    expect(left.length).toBeGreaterThan(writes.length)
    expect([...new Set(writes.map((write) => write.split(' ')[1]))].sort()).toEqual([
      'enrollments',
      'invoices',
      'orders',
      'outbox_mails',
      'payments',
      'refunds',
    ])
  }, 240_000)
})
