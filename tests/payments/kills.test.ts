import { beforeAll, describe, expect, it } from 'vitest'
import { aCourseId, anOrder, aSale, pay } from '../support/builders/orders.ts'
import { anAdmin, aStudent, type Person } from '../support/builders/people.ts'
import { visitorAt } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { startKillableServer, type KillableServer } from '../support/killable-server.ts'
import { PLACES_APART } from '../support/long-mode.ts'
import { expectSound, grantCount, isIn, statusOf, ledgerOf } from '../support/order-checks.ts'
import { postEvent } from '../support/webhooks.ts'

// Two at a time, since starting a server is what takes time here; each on books of its own, where no other server
// takes up what it has under way.
const LANES = 2
const MANY = 60

const lanes: { lms: Lms; admin: Person }[] = []
beforeAll(async () => {
  for (let lane = 0; lane < LANES; lane += 1) {
    const lms = await startLms()
    lms.razorpay.webhooks.drop = 'all'
    lanes.push({ lms, admin: await anAdmin(lms) })
  }
})

type Lane = (typeof lanes)[number]

/**
 * Kills one server after another, each some writes later than the one before, until one lives through it all;
 * `prepare` makes what each works on. Answers that, by lane, and the collections that were written to.
 */
async function killAtEachWrite<T>(
  prepare: (lane: Lane) => Promise<T>,
  act: (server: KillableServer, prepared: T, lane: Lane) => Promise<void>,
): Promise<{ left: { lane: Lane; works: T[] }[]; written: string[] }> {
  let nth = 1 - PLACES_APART
  const survivors: string[][] = []
  const written = new Set<string>()
  const work = async (lane: Lane) => {
    const works: T[] = []
    while (survivors.length === 0 && nth < MANY) {
      const server = await startKillableServer(lane.lms)
      try {
        const [prepared] = await Promise.all([prepare(lane), server.idle()])
        works.push(prepared)
        nth += PLACES_APART
        server.killAtWrite(nth)
        await Promise.race([act(server, prepared, lane), server.exited])
        if (!server.isKilled()) survivors.push(server.writes())
        for (const write of server.writes()) written.add(write.split(' ')[1] ?? '')
      } finally {
        await server.close()
      }
    }
    return { lane, works }
  }
  const left = await Promise.all(lanes.map(work))
  const kills = left.flatMap(({ works }) => works).length
  expect(kills * PLACES_APART).toBeGreaterThan(survivors[0]?.length ?? MANY)
  return { left, written: [...written].sort() }
}

/** Hands the captured event to a server as Razorpay does, and waits until it was worked on. */
async function deliver({ lms }: Lane, server: KillableServer, order_id: string): Promise<void> {
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
    for (const { admin } of lanes) {
      await admin.api.coupons.create.mutate({
        code: 'TENTH',
        kind: 'PERCENT',
        value: 10,
        maxTotal: 1000,
        maxPerUser: null,
      })
    }
    const { left, written } = await killAtEachWrite(
      async ({ lms }) => {
        const courseIds = [await aCourseId(lms, 20_000), await aCourseId(lms, 30_000)]
        return anOrder(lms, { courseIds, couponCode: 'TENTH' })
      },
      async (server, opened, lane) => {
        pay(lane.lms, opened)
        await deliver(lane, server, opened.order_id)
      },
    )
    for (const { lane, works } of left) {
      const { lms } = lane
      lms.clock.advance(61)
      await lms.work()
      for (const opened of works) {
        expect(await statusOf(lms, opened)).toBe('FULFILLED')
        for (const courseId of opened.courseIds) {
          expect(await grantCount(lms, opened.buyer, courseId)).toBe(1)
          expect(await isIn(opened.buyer, courseId)).toBe(true)
        }
        const key = `receipt:${opened.order.id}`
        expect(await lms.db.orm.outbox_mails.where({ key }).all()).toHaveLength(1)
      }
      await expectSound(lms)
    }
    expect(written).toEqual([
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
    const { left, written } = await killAtEachWrite(
      async ({ lms }) => aSale(lms, { buyer: await aStudent(lms), pricePaise: 20_000 }),
      async (server, { order }, { admin }) => {
        await visitorAt(server.url, admin)
          .api.refunds.create.mutate({ orderId: order.id, idempotencyKey: 'the-one-refund' })
          .catch((error: unknown) => {
            if (!server.isKilled()) throw error
          })
      },
    )
    for (const { lane, works } of left) {
      const { lms, admin } = lane
      for (const { order } of works) {
        await admin.api.refunds.create.mutate({
          orderId: order.id,
          idempotencyKey: 'the-one-refund',
        })
      }
      lms.clock.advance(61)
      await lms.work()
      for (const { paymentId, buyer, courseIds } of works) {
        expect(ledgerOf(lms, paymentId)).toMatchObject({
          refunded: 20_000,
          refunds: [{ amount: 20_000 }],
        })
        expect(await isIn(buyer, courseIds[0] ?? '')).toBe(false)
      }
      await expectSound(lms)
    }
    expect(written).toEqual([
      'enrollments',
      'invoices',
      'orders',
      'outbox_mails',
      'payments',
      'refunds',
    ])
  }, 240_000)
})
