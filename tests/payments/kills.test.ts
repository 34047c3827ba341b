import { beforeAll, describe, expect, it } from 'vitest'
import { aCourseId, anOrder, aSale, pay } from '../support/builders/orders.ts'
import { anAdmin, aStudent } from '../support/builders/people.ts'
import { visitor } from '../support/client.ts'
import { startDoomed, type Doomed } from '../support/doomed.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { expectSound, grantCount, isIn, statusOf, ledgerOf } from '../support/order-checks.ts'

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
  act: (doomed: Doomed, prepared: T) => Promise<void>,
): Promise<{ left: T[]; writes: string[] }> {
  let nth = 0
  const survivors: string[][] = []
  const left: T[] = []
  const lane = async () => {
    while (survivors.length === 0 && nth < MANY) {
      const doomed = await startDoomed(lms)
      try {
        const [prepared] = await Promise.all([prepare(), doomed.quiet()])
        left.push(prepared)
        nth += 1
        doomed.dieAt(nth)
        await Promise.race([act(doomed, prepared), doomed.death])
        if (!doomed.isDead()) survivors.push(doomed.writes())
      } finally {
        await doomed.end()
      }
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return { left, writes: survivors[0] ?? [] }
}

/** Hands the captured event to a server as Razorpay does, and waits until it was worked on. */
async function deliver(doomed: Doomed, order_id: string): Promise<void> {
  const delivery = lms.razorpay
    .deliveries()
    .find(({ event, body }) => event === 'payment.captured' && body.includes(order_id))
  const { body = '', signature = '', eventId = '' } = delivery ?? {}
  await fetch(`${doomed.url}/webhooks/razorpay`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-razorpay-signature': signature,
      'x-razorpay-event-id': eventId,
    },
    body,
  }).catch(() => undefined)
  while (!doomed.isDead()) {
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
      async (doomed, opened) => {
        pay(lms, opened)
        await deliver(doomed, opened.order_id)
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
      async (doomed, { order }) => {
        const client = visitor(doomed.url)
        const [name = '', value = ''] = admin.cookie().split('=')
        client.setCookie(name, value)
        await client.api.refunds.create
          .mutate({ orderId: order.id, idempotencyKey: 'the-one-refund' })
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
      'orders',
      'outbox_mails',
      'payments',
      'refunds',
    ])
  }, 240_000)
})
