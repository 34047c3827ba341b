import { beforeAll, describe, expect, it } from 'vitest'
import { TIMEOUTS } from '../../src/http/timeouts.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { reasonIn } from '../support/refusals.ts'
import { openWire, request, type Wire } from '../support/raw.ts'

// Timeouts so short that the tests end soon; what is asserted is only that it ends, and how.
const SHORT = { headers: 150, body: 150, refused: 150, idle: 150, check: 20 }

let lms: Lms
beforeAll(async () => {
  lms = await startLms({ timeouts: SHORT })
})

const HEAD = ['Content-Type: application/json', 'Content-Length: 100']

/** Sends a byte now and then until the line is cut. */
async function drip(wire: Wire): Promise<void> {
  const timer = setInterval(() => {
    wire.send(' ')
  }, 20)
  await wire.closed
  clearInterval(timer)
}

describe('a slow client', () => {
  it('is cut off when its headers do not end', async () => {
    const wire = openWire(lms.url)
    wire.send('GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
    const answer = wire.answer()
    await drip(wire)
    expect((await answer).status).toBe(408)
    expect(reasonIn((await answer).body)).toBe('MALFORMED_REQUEST')
  })

  it('is cut off when it never says anything', async () => {
    const wire = openWire(lms.url)
    await wire.closed
  })

  it('is cut off when its body does not arrive', async () => {
    const wire = openWire(lms.url)
    wire.send(request('POST /trpc/auth.login', HEAD, '{'))
    const answer = await wire.answer()
    expect([answer.status, reasonIn(answer.body)]).toEqual([408, 'TOO_SLOW'])
    await wire.closed
  })

  it('gains no time by sending byte after byte', async () => {
    const wire = openWire(lms.url)
    wire.send(request('POST /trpc/auth.login', HEAD, '{'))
    const answer = wire.answer()
    await drip(wire)
    expect((await answer).status).toBe(408)
  })

  it('gains none on any path that takes no uploads', async () => {
    for (const path of ['/webhooks/razorpay', '/nothing', '/healthz', '/trpc', '/uploads']) {
      const wire = openWire(lms.url)
      wire.send(request(`POST ${path}`, HEAD, '{'))
      expect((await wire.answer()).status).toBeGreaterThanOrEqual(400)
      await drip(wire)
    }
  })

  it('is cut off when it goes on sending what was refused', async () => {
    const wire = openWire(lms.url)
    wire.send(
      request('POST /trpc/auth.login', ['Content-Type: text/plain', 'Content-Length: 100000'], 'x'),
    )
    expect((await wire.answer()).status).toBe(415)
    await drip(wire)
  })

  it('is cut off while it keeps a line open for nothing', async () => {
    const wire = openWire(lms.url)
    wire.send(request('GET /healthz'))
    expect((await wire.answer()).status).toBe(200)
    await wire.closed
  })

  it('keeps nobody else waiting, be there hundreds of them', async () => {
    const wires = Array.from({ length: 300 }, () => openWire(lms.url))
    for (const wire of wires) wire.send('GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    expect((await lms.visitor().fetch('/healthz')).status).toBe(200)
    await Promise.all(wires.map((wire) => wire.closed))
    expect((await lms.visitor().fetch('/healthz')).status).toBe(200)
  })
})

describe('the timeouts in production', () => {
  it('is seconds for headers and bodies, and minutes only for uploads', () => {
    expect(TIMEOUTS).toMatchObject({ headers: 15_000, body: 30_000, refused: 2_000, idle: 10_000 })
    expect(TIMEOUTS.request).toBeLessThanOrEqual(15 * 60_000)
  })
})
