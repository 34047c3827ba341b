import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, expect, it } from 'vitest'
import { watchMinimumRate } from '../../src/media/minimum-rate.ts'

const server = http.createServer()
server.listen(0, '127.0.0.1')
await once(server, 'listening')
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

async function open(): Promise<{ sender: http.ClientRequest; request: IncomingMessage }> {
  const { port } = server.address() as AddressInfo
  const sender = http.request({ port, method: 'POST' })
  sender.on('error', () => undefined)
  sender.write('x')
  const [request] = (await once(server, 'request')) as [IncomingMessage]
  return { sender, request }
}

it('a client that trickles is found out, one that keeps up the minimum rate is not', async () => {
  const slow = await open()
  const fast = await open()
  const found: string[] = []
  const minimumRate = { bytes: 1_000, seconds: 1 }
  for (const [name, { request }] of Object.entries({ slow, fast })) {
    request.resume()
    const stop = watchMinimumRate(request, () => found.push(name), minimumRate)
    request.on('close', stop)
  }
  const steps = setInterval(() => {
    slow.sender.write('.')
    fast.sender.write('.'.repeat(5_000))
  }, 50)
  await expect.poll(() => found.length).toBeGreaterThan(1)
  clearInterval(steps)
  expect(new Set(found)).toEqual(new Set(['slow']))
})

it('time in which we do not read is not the sender’s', async () => {
  const { request } = await open()
  let [calls, ticks] = [0, 0]
  request.pause()
  const stop = watchMinimumRate(request, () => (calls += 1), { bytes: 1_000, seconds: 1 })
  const other = await open()
  other.request.resume()
  const stopOther = watchMinimumRate(other.request, () => (ticks += 1), {
    bytes: 1_000,
    seconds: 1,
  })
  await expect.poll(() => ticks).toBeGreaterThan(1)
  stop()
  stopOther()
  expect(calls).toBe(0)
})
