// Our own side goes down, or is flooded.
import { describe, expect, it, inject } from 'vitest'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { applyContract } from '../../../prisma/apply.ts'
import { databaseUrl, startMongo } from '../../../sandbox/mongo/start.ts'
import { aCourseId, anOrder, pay, payWithoutWebhooks } from '../../support/builders/orders.ts'
import { aStudent } from '../../support/builders/people.ts'
import { visitorAt } from '../../support/client.ts'
import { startLms } from '../../support/harness.ts'
import { startKillableServer } from '../../support/killable-server.ts'
import { isBookWrite, startMongoProxy } from '../../support/mongo-proxy.ts'
import {
  deliverWebhooks,
  expectSound,
  grantCount,
  isIn,
  statusOf,
} from '../../support/order-checks.ts'
import { postEvent } from '../../support/webhooks.ts'

describe('a database that is down when the webhook comes', () => {
  it('is answered 503 in time, and Razorpay’s next try is worked on', async () => {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'gurukul-outage-'))
    const mongo = await startMongo({ dir })
    const DATABASE_URL = databaseUrl(mongo.url, 'outage')
    await applyContract(DATABASE_URL)
    const lms = await startLms({ env: { DATABASE_URL } })
    lms.expectErrors()
    const opened = await anOrder(lms)
    mongo.kill()
    lms.razorpay.with({ drop: ['payment.authorized', 'order.paid'] }, () => pay(lms, opened))
    await lms.razorpay.settle()
    const failed = lms.razorpay.deliveries().flatMap(({ attempts }) => attempts)
    expect(new Set(failed.map(({ status }) => status))).toEqual(new Set([503]))
    const again = await startMongo({ dir, port: Number(new URL(mongo.url).port) })
    lms.clock.advance(60)
    await lms.razorpay.deliverAll()
    await deliverWebhooks(lms)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    await expectSound(lms)
    await lms.close()
    await again.close()
    await rm(dir, { recursive: true, force: true })
  }, 60_000)
})

describe('a database that loses its answers', () => {
  it('at any write of a fulfillment leaves it to be finished by the next try', async () => {
    let countdown = Number.POSITIVE_INFINITY
    const url = databaseUrl(inject('mongoUrl'), `test-lossy-${process.pid}`)
    const proxy = await startMongoProxy(url, (command) => {
      if (isBookWrite(command)) countdown -= 1
      return isBookWrite(command) && countdown === 0 ? 'cut-answer' : 'pass'
    })
    await applyContract(url)
    const lms = await startLms({ env: { DATABASE_URL: proxy.databaseUrl } })
    lms.expectErrors()
    const courseIds = [await aCourseId(lms, 10_000)]
    let failures = 0
    for (let nth = 1; nth <= 14; nth += 1) {
      const opened = await anOrder(lms, { courseIds })
      const paid = payWithoutWebhooks(lms, opened)
      countdown = nth
      await opened.buyer.api.orders.verify.mutate(paid).catch(() => {
        failures += 1
      })
      countdown = Number.POSITIVE_INFINITY
      expect((await opened.buyer.api.orders.verify.mutate(paid)).status).toBe('FULFILLED')
      expect(await grantCount(lms, opened.buyer, courseIds[0] ?? '')).toBe(1)
    }
    expect(failures).toBeGreaterThan(5)
    await expectSound(lms)
    await lms.close()
    proxy.close()
  }, 60_000)
})

describe('a server told to stop in the middle of payments', () => {
  it('ends in good order, and whatever it left is finished', async () => {
    const lms = await startLms()
    const server = await startKillableServer(lms)
    const opened = await Promise.all(Array.from({ length: 8 }, () => anOrder(lms)))
    const calls = opened.map(async (one) => {
      await visitorAt(server.url, one.buyer)
        .api.orders.verify.mutate(payWithoutWebhooks(lms, one))
        .catch(() => undefined)
    })
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(await server.stop()).toBe(0)
    await Promise.all(calls)
    await server.close()
    lms.clock.advance(61)
    await lms.work()
    for (const one of opened) {
      expect(await statusOf(lms, one)).toBe('FULFILLED')
      expect(await isIn(one.buyer, one.courseIds[0] ?? '')).toBe(true)
    }
    await expectSound(lms)
  }, 60_000)
})

describe('a storm of events', () => {
  it('thirty per cent of them twice, on two instances, is acknowledged whole and loses nothing', async () => {
    const lms = await startLms()
    const courseIds = [await aCourseId(lms, 10_000)]
    const buyers = await Promise.all(Array.from({ length: 40 }, () => aStudent(lms)))
    const opened = await Promise.all(buyers.map((buyer) => anOrder(lms, { buyer, courseIds })))
    for (const one of opened) payWithoutWebhooks(lms, one)
    const { url } = await lms.another()
    const sent = lms.razorpay.deliveries().flatMap((delivery, at) => {
      const copies = at % 10 < 3 ? [delivery, delivery] : [delivery]
      return copies.map((copy, nth) => ({ ...copy, to: (at + nth) % 2 === 0 ? lms.url : url }))
    })
    const statuses = await Promise.all(sent.map(({ to, ...event }) => postEvent(to, event)))
    // Three events of each of the forty, and three in ten of them again.
    expect(statuses).toEqual(Array.from({ length: 40 * 3 * 1.3 }, () => 200))
    await deliverWebhooks(lms)
    lms.clock.advance(61)
    await lms.work()
    for (const one of opened) {
      expect(await statusOf(lms, one)).toBe('FULFILLED')
      expect(await grantCount(lms, one.buyer, courseIds[0] ?? '')).toBe(1)
    }
    await expectSound(lms)
  }, 90_000)
})
