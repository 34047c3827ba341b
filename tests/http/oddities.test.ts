import { beforeAll, describe, expect, it } from 'vitest'
import { anAdmin, aStudent } from '../support/builders/people.ts'
import { post } from '../support/builders/auth.ts'
import { ORIGIN, startLms, type Lms } from '../support/harness.ts'
import { openWire, request, sendRaw } from '../support/raw.ts'
import { reasonIn } from '../support/refusals.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const MALFORMED = [400, 'MALFORMED_REQUEST']

async function send(bytes: string) {
  const answer = await sendRaw(lms.url, bytes)
  return [answer.status, reasonIn(answer.body)]
}

describe('a request', () => {
  it('is for one host, said once', async () => {
    expect(await send('GET /healthz HTTP/1.1\r\n\r\n')).toEqual(MALFORMED)
    expect(await send('GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n')).toEqual(MALFORMED)
    expect(await send('GET /healthz HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n')).toEqual(MALFORMED)
    expect(await send(request('GET /healthz'))).toEqual([200, null])
  })

  it('says once what it is, and packs its transfer in nothing but chunks', async () => {
    const type = 'Content-Type: application/json'
    const chunks = '2\r\n{}\r\n0\r\n\r\n'
    for (const headers of [
      [type, type, 'Content-Length: 2'],
      [type, 'Content-Type: text/plain', 'Content-Length: 2'],
      ['content-type: multipart/form-data; boundary=b', type, 'Content-Length: 2'],
      [type, 'Content-Encoding: identity', 'Content-Encoding: gzip', 'Content-Length: 2'],
      [type, 'Transfer-Encoding: gzip, chunked'],
      [type, 'Transfer-Encoding: chunked, chunked'],
      [type, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
      [type, 'Transfer-Encoding: identity, chunked'],
    ])
      for (const path of [
        '/trpc/auth.logout',
        '/webhooks/razorpay',
        '/uploads/avatar',
        '/healthz',
      ]) {
        const body = headers.some((line) => line.startsWith('Transfer')) ? chunks : '{}'
        const answer = await send(request(`POST ${path}`, headers, body))
        expect([headers, path, answer]).toEqual([headers, path, MALFORMED])
      }
    const honest = [type, 'Transfer-Encoding: Chunked', 'x-trpc-source: tests']
    expect(await send(request('POST /trpc/auth.logout', honest, chunks))).toEqual([200, null])
  })

  it('names a procedure by one path', async () => {
    for (const path of ['auth%2Elogin', '%61uth.login', 'auth.login%2Cauth.login?batch=1'])
      expect(
        await send(
          request(
            `POST /trpc/${path}`,
            ['Content-Type: application/json', 'Content-Length: 2'],
            '{}',
          ),
        ),
      ).toEqual([404, 'NOT_FOUND'])
  })

  it('that is no HTTP at all is answered with the headers of every other', async () => {
    const regular = await sendRaw(lms.url, request('GET /healthz'))
    const odd = {
      'no HTTP': 'NONSENSE\r\n\r\n',
      'too many headers': request('GET /healthz', [`X: ${'a'.repeat(20_000)}`]),
      'another expectation': request('GET /healthz', ['Expect: 200-maybe']),
    }
    for (const [what, bytes] of Object.entries(odd)) {
      const { headers } = await sendRaw(lms.url, bytes)
      for (const name of [
        'content-security-policy',
        'cross-origin-opener-policy',
        'cross-origin-resource-policy',
        'referrer-policy',
        'strict-transport-security',
        'x-content-type-options',
        'x-frame-options',
        'cache-control',
      ])
        expect([what, name, headers.get(name)]).toEqual([what, name, regular.headers.get(name)])
    }
  })
})

describe('a webhook', () => {
  it.each([
    ['/webhooks/razorpay', 1024 * 1024 + 1],
    ['/webhooks/cloudinary', 256 * 1024 + 1],
  ])('at %s that announces too much is refused before it is sent', async (path, bytes) => {
    const wire = openWire(lms.url)
    wire.send(
      request(`POST ${path}`, ['Content-Type: application/json', `Content-Length: ${bytes}`]),
    )
    const answer = await wire.answer()
    expect([answer.status, reasonIn(answer.body)]).toEqual([413, 'BODY_TOO_LARGE'])
    wire.socket.destroy()
  })
})

describe('a field under two names', () => {
  it('has one value', async () => {
    const admin = await anAdmin(lms)
    const [one, other] = [await aStudent(lms), await aStudent(lms)]
    const role = 'INSTRUCTOR'
    const both = { id: one.user.id, userId: other.user.id, role }
    const answer = await post(admin, { path: 'users.setRole' }, both)
    expect([answer.status, answer.reason]).toEqual([400, 'DUPLICATE_PARAMETER'])
    const same = { id: one.user.id, userId: one.user.id, role }
    expect((await post(admin, { path: 'users.setRole' }, same)).status).toBe(200)
    expect((await admin.api.users.get.query({ userId: other.user.id })).role).toBe('STUDENT')
  })
})

describe('an answer of tRPC', () => {
  it('varies by the origin, whichever code writes it', async () => {
    for (const headers of [{}, { 'trpc-accept': 'application/json' }])
      for (const origin of [ORIGIN, 'https://evil.example'])
        for (const path of ['auth.me', 'auth.me,auth.me?batch=1', 'no.such']) {
          const init = { headers: { ...headers, origin } }
          const response = await lms.visitor().fetch(`/trpc/${path}`, init)
          expect(response.headers.get('vary')?.toLowerCase()).toContain('origin')
        }
  })
})
