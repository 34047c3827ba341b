import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { sendRaw } from '../support/raw.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms({ env: { REQUESTS_PER_MINUTE: '200' } })
})

const POLICY =
  "default-src 'none';object-src 'none';base-uri 'none';frame-ancestors 'none';form-action 'none'"

function expectHardened({ headers }: { headers: Headers }) {
  expect(headers.get('content-security-policy')).toBe(POLICY)
  expect(headers.get('strict-transport-security')).toMatch(/^max-age=31536000; includeSubDomains/)
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('referrer-policy')).toBe('no-referrer')
  expect(headers.get('x-frame-options')).toBe('DENY')
  expect(headers.get('cross-origin-resource-policy')).toBe('same-site')
  expect(headers.get('cross-origin-opener-policy')).toBe('same-origin')
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('x-powered-by')).toBeNull()
  expect(headers.get('server')).toBeNull()
  expect(headers.get('etag')).toBeNull()
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
}

describe('every answer', () => {
  const json = { method: 'POST', headers: { 'content-type': 'application/json' } }
  const requests: [string, number, string, RequestInit?][] = [
    ['a query', 200, '/trpc/auth.me'],
    ['health', 200, '/healthz'],
    ['readiness', 200, '/readyz'],
    ['an unknown path', 404, '/nothing/here'],
    ['an unknown procedure', 404, '/trpc/nothing.here'],
    ['a root', 404, '/'],
    ['a refused input', 400, '/trpc/auth.login', { ...json, body: '{"json":{}}' }],
    ['a body that is no JSON', 400, '/trpc/auth.login', { ...json, body: '{"json":' }],
    ['a body that is too large', 413, '/trpc/auth.login', { ...json, body: ' '.repeat(300_000) }],
    ['a wrong method', 405, '/trpc/auth.me', { method: 'DELETE' }],
    ['a wrong type', 415, '/trpc/auth.login', { method: 'POST', body: 'a=b' }],
    ['an unauthenticated call', 401, '/trpc/courses.mine'],
    ['a broken escape in the path', 400, '/trpc/%ff'],
    ['a broken escape elsewhere', 404, '/%E0%A4%A'],
  ]
  for (const [what, status, path, init] of requests) {
    it(`is hardened JSON: ${what}`, async () => {
      const response = await lms.visitor().fetch(path, init)
      expect(response.status).toBe(status)
      expectHardened(response)
      expect(response.headers.get('content-type')).toMatch(/^application\/json/)
      expect(await response.json()).toBeTypeOf('object')
    })
  }

  it('is hardened and not kept when it is somebody’s own', async () => {
    const student = await aStudent(lms)
    const response = await student.fetch('/trpc/auth.me')
    expectHardened(response)
    expect(await response.text()).toContain(student.user.email)
  })

  it('takes no request id from outside', async () => {
    const response = await lms.visitor().fetch('/healthz', { headers: { 'x-request-id': 'mine' } })
    expectHardened(response)
  })

  it('shows neither stack nor parser text nor what was sent', async () => {
    const response = await lms.visitor().fetch('/trpc/auth.login', {
      ...json,
      body: '{"json":{"password":"hunter2 is mine"',
    })
    const text = await response.text()
    expect(text).not.toMatch(/hunter2|JSON at|position|node_modules|at \w+ \(/)
    expect(text).toContain('MALFORMED_REQUEST')
  })

  it('is JSON and closes when no HTTP could be read', async () => {
    const answer = await sendRaw(lms.url, 'NONSENSE\r\n\r\n')
    expect(answer.status).toBe(400)
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('connection')).toBe('close')
    expect(JSON.parse(answer.body)).toMatchObject({ error: { reason: 'MALFORMED_REQUEST' } })
  })

  it('is hardened when it is the one too many', async () => {
    const visitor = lms.visitor()
    let response = await visitor.fetch('/trpc/auth.me')
    for (let n = 0; n < 250 && response.status === 200; n += 1) {
      response = await visitor.fetch('/trpc/auth.me')
    }
    expect(response.status).toBe(429)
    expectHardened(response)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
  })
})
