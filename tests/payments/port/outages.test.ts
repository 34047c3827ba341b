// The rows of docs/payments.md's table that are about our own side: the database is away, or loses its
// answers.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { applyContract } from '../../../prisma/apply.ts'
import { databaseUrl, startMongo } from '../../../sandbox/mongo/start.ts'
import { aCourseId, anOrder } from '../../support/builders/orders.ts'
import { grantCount, statusOf } from '../../support/order-checks.ts'
import {
  expectSoundBooks,
  later,
  payUnheard,
  settle,
  startMemoryLms,
  verify,
} from '../../support/memory-gateway/lms.ts'
import { isBookWrite, startMongoProxy } from '../../support/mongo-proxy.ts'

describe('a database that is down when a webhook comes', () => {
  it('is answered 503, and the gateway’s next try is worked on', async () => {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'gurukul-port-'))
    const mongo = await startMongo({ dir })
    const DATABASE_URL = databaseUrl(mongo.url, 'outage')
    await applyContract(DATABASE_URL)
    const lms = await startMemoryLms({ env: { DATABASE_URL } })
    lms.expectErrors()
    const opened = await anOrder(lms)
    mongo.kill()
    lms.bank.pay(opened.order_id)
    await lms.bank.sender.settle()
    expect(lms.bank.sender.deliveries.map(({ answers }) => answers)).toEqual([[503]])
    const again = await startMongo({ dir, port: Number(new URL(mongo.url).port) })
    lms.clock.advance(60)
    await settle(lms)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    await expectSoundBooks(lms)
    await lms.close()
    await again.close()
    await rm(dir, { recursive: true, force: true })
  }, 60_000)
})

describe('a database that hangs when a webhook comes', () => {
  it('is answered 503 in the time that this gateway waits, which is its own', async () => {
    const url = databaseUrl(inject('mongoUrl'), `test-hanging-port-${process.pid}`)
    await applyContract(url)
    const line = await startLine(url)
    const lms = await startMemoryLms({ env: { DATABASE_URL: line.databaseUrl } })
    lms.expectErrors()
    const opened = await anOrder(lms)
    line.hold(true)
    lms.bank.pay(opened.order_id)
    await lms.bank.sender.settle()
    line.hold(false)
    expect(lms.bank.sender.deliveries.map(({ answers }) => answers)).toEqual([[503]])
    // It was written down after all, and nobody was there any more to work on it.
    await later(lms, 31)
    expect(await statusOf(lms, opened)).toBe('FULFILLED')
    await expectSoundBooks(lms)
    await lms.close()
    line.close()
  }, 60_000)
})

/** A line to the database on which everything can be held up. */
async function startLine(databaseUrl: string) {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let isHeld = false
  const server = createServer((client) => {
    const mongo = connect(Number(target.port), target.hostname)
    sockets.add(client).add(mongo)
    client.pipe(mongo).pipe(client)
    for (const socket of [client, mongo]) socket.on('error', () => socket.destroy())
    if (isHeld) client.pause()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const own = new URL(target)
  own.port = String((server.address() as AddressInfo).port)
  return {
    databaseUrl: own.href,
    hold: (isOn: boolean) => {
      isHeld = isOn
      for (const socket of sockets) {
        if (isOn) socket.pause()
        else socket.resume()
      }
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

describe('a database that loses its answers', () => {
  it('at any write between the authorization and the course leaves it to the next try', async () => {
    let countdown = Number.POSITIVE_INFINITY
    const url = databaseUrl(inject('mongoUrl'), `test-lossy-port-${process.pid}`)
    const proxy = await startMongoProxy(url, (command) => {
      if (isBookWrite(command)) countdown -= 1
      return isBookWrite(command) && countdown === 0 ? 'cut-answer' : 'pass'
    })
    await applyContract(url)
    const lms = await startMemoryLms({ env: { DATABASE_URL: proxy.databaseUrl } })
    lms.expectErrors()
    const courseIds = [await aCourseId(lms, 10_000)]
    let failures = 0
    for (let nth = 1; nth <= 16; nth += 1) {
      const opened = await anOrder(lms, { courseIds })
      await payUnheard(lms, opened)
      countdown = nth
      await lms.bank
        .with({ drop: 'all' }, () => verify(opened))
        .catch(() => {
          failures += 1
        })
      countdown = Number.POSITIVE_INFINITY
      if (nth % 2 === 0) expect((await verify(opened)).status).toBe('FULFILLED')
      else await later(lms, 61)
      expect(await statusOf(lms, opened)).toBe('FULFILLED')
      expect(await grantCount(lms, opened.buyer, courseIds[0] ?? '')).toBe(1)
    }
    expect(failures).toBeGreaterThan(5)
    await expectSoundBooks(lms)
    await lms.close()
    proxy.close()
  }, 90_000)
})
