import { beforeAll, describe, expect, it } from 'vitest'
import { startLms, type Lms } from '../support/harness.ts'
import { reasonIn } from '../support/refusals.ts'
import { openWire, request, sendRaw } from '../support/raw.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

describe('headers', () => {
  it('may be 15 kB, not 17', async () => {
    const padded = (size: number) => request('GET /healthz', [`X-Padding: ${'a'.repeat(size)}`])
    expect((await sendRaw(lms.url, padded(15_000))).status).toBe(200)
    const answer = await sendRaw(lms.url, padded(17_000))
    expect([answer.status, reasonIn(answer.body)]).toEqual([431, 'MALFORMED_REQUEST'])
    expect(answer.headers.get('connection')).toBe('close')
  })

  it('include the url', async () => {
    const answer = await sendRaw(lms.url, request(`GET /trpc/auth.me?input=${'a'.repeat(20_000)}`))
    expect([414, 431]).toContain(answer.status)
    expect(reasonIn(answer.body)).toBe('MALFORMED_REQUEST')
  })

  it('may not hide a second request', async () => {
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
    const requests = [
      // Both lengths at once, in either order and spelled in ways that some proxy overlooks.
      ['Content-Length: 4', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: chunked', 'Content-Length: 4'],
      ['Content-Length: 4', 'Transfer-Encoding: xchunked'],
      ['Transfer-Encoding: chunked, identity'],
      ['Transfer-Encoding: identity'],
      ['Transfer-Encoding : chunked'],
      ['Content-Length: 4', 'Content-Length: 5'],
      ['Content-Length: 4, 5'],
      ['Content-Length: +4'],
      ['Content-Length: 0x4'],
      ['Content-Length: -1'],
      ['Content-Length: 4 '.concat('4')],
      ['X: a\rTransfer-Encoding: chunked', 'Content-Length: 4'],
      ['X: a\nTransfer-Encoding: chunked', 'Content-Length: 4'],
      ['X: a\0b'],
      [' Folded: a'],
    ]
    for (const headers of requests) {
      const wire = openWire(lms.url)
      const type = 'Content-Type: application/json'
      wire.send(request('POST /trpc/auth.login', [type, ...headers], `0\r\n\r\n${smuggled}`))
      const answer = await wire.answer()
      expect([headers, answer.status]).toEqual([headers, 400])
      await wire.closed
    }
    expect(lms.logs().join()).not.toContain('/smuggled')
  })

  it('may not be chunks of a nonsensical size', async () => {
    for (const size of ['-1', '0x5', 'g', '5 5', 'ffffffffffffffffff', '5\n']) {
      const wire = openWire(lms.url)
      wire.send(
        request(
          'POST /trpc/auth.login',
          ['Content-Type: application/json', 'Transfer-Encoding: chunked'],
          `${size}\r\n{"a":\r\n0\r\n\r\n`,
        ),
      )
      expect([size, (await wire.answer()).status]).toEqual([size, 400])
      wire.socket.destroy()
    }
  })

  it('may expect nothing but to go on', async () => {
    const refusal = await sendRaw(lms.url, request('GET /healthz', ['Expect: a miracle']))
    expect([refusal.status, reasonIn(refusal.body)]).toEqual([417, 'MALFORMED_REQUEST'])
  })

  it('switch to no other protocol', async () => {
    const answer = await sendRaw(
      lms.url,
      request('GET /healthz', [
        'Connection: Upgrade, HTTP2-Settings',
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABkAAQAAP__',
      ]),
    )
    expect(answer.status).toBe(200)
  })

  it('answers requests in a row on one line, in order', async () => {
    const wire = openWire(lms.url)
    wire.send(request('GET /healthz') + request('GET /nothing') + request('GET /trpc/auth.me'))
    const statuses = [await wire.answer(), await wire.answer(), await wire.answer()]
    expect(statuses.map(({ status }) => status)).toEqual([200, 404, 200])
    wire.socket.destroy()
  })
})
