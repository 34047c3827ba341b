import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent, type Person } from '../support/builders/people.ts'
import { ORIGIN, startLms, type Lms } from '../support/harness.ts'
import { reasonIn } from '../support/refusals.ts'
import { request, sendRaw } from '../support/raw.ts'

const EVIL = [
  'https://evil.example',
  'null',
  `${ORIGIN}.evil.example`,
  `${ORIGIN}:80`,
  ORIGIN.replace('http:', 'https:'),
  ORIGIN.toUpperCase(),
  `${ORIGIN}/`,
  `${ORIGIN}, https://evil.example`,
  'http://evil.example#http://localhost:5173',
]

let lms: Lms
let student: Person
beforeAll(async () => {
  lms = await startLms()
  student = await aStudent(lms)
})

const post = (headers: string[], path = '/trpc/auth.logout') =>
  sendRaw(
    lms.url,
    request(
      `POST ${path}`,
      ['Content-Type: application/json', 'Content-Length: 2', ...headers],
      '{}',
    ),
  )

describe('an allowed origin', () => {
  it('is answered by its exact name, with credentials', async () => {
    for (const method of ['GET', 'OPTIONS']) {
      const response = await fetch(`${lms.url}/trpc/auth.me`, {
        method,
        headers: { origin: ORIGIN, 'access-control-request-method': 'POST' },
      })
      expect(response.headers.get('access-control-allow-origin')).toBe(ORIGIN)
      expect(response.headers.get('access-control-allow-credentials')).toBe('true')
      expect(response.headers.get('vary')?.toLowerCase()).toContain('origin')
    }
  })

  it('may send what tRPC clients send, by GET and POST only', async () => {
    const response = await fetch(`${lms.url}/trpc/auth.login`, {
      method: 'OPTIONS',
      headers: {
        origin: ORIGIN,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-methods')).toBe('GET,POST')
    expect(response.headers.get('access-control-allow-headers')).toContain('content-type')
  })

  it('reads refusals too, and when to come back', async () => {
    const response = await fetch(`${lms.url}/nothing`, { headers: { origin: ORIGIN } })
    expect(response.headers.get('access-control-allow-origin')).toBe(ORIGIN)
    expect(response.headers.get('access-control-expose-headers')).toContain('retry-after')
  })

  it('may change things with the cookie', async () => {
    const me = await aStudent(lms)
    const answer = await post([`Cookie: ${me.cookie()}`, `Origin: ${ORIGIN}`])
    expect(answer.status).toBe(200)
  })
})

describe('any other origin', () => {
  for (const origin of EVIL) {
    it(`is told nothing: ${origin}`, async () => {
      for (const method of ['GET', 'OPTIONS']) {
        const { headers } = await sendRaw(
          lms.url,
          request(`${method} /trpc/auth.me`, [
            `Origin: ${origin}`,
            'Access-Control-Request-Method: POST',
          ]),
        )
        const told = [...headers.keys()].filter((name) => name.startsWith('access-control'))
        expect(told).toEqual([])
        expect(headers.get('vary')?.toLowerCase()).toContain('origin')
      }
    })

    it(`changes nothing with somebody’s cookie: ${origin}`, async () => {
      const answer = await post([`Cookie: ${student.cookie()}`, `Origin: ${origin}`])
      expect([answer.status, reasonIn(answer.body)]).toEqual([403, 'ORIGIN_REFUSED'])
      expect(await student.api.auth.me.query()).not.toBeNull()
    })

    it(`signs nobody in, which needs no cookie: ${origin}`, async () => {
      const answer = await post([`Origin: ${origin}`], '/trpc/auth.login')
      expect([answer.status, reasonIn(answer.body)]).toEqual([403, 'ORIGIN_REFUSED'])
    })
  }
})

describe('a browser that sends no Origin', () => {
  it('is believed about its site only when that is ours', async () => {
    for (const site of ['cross-site', 'same-site', 'none', 'same-origin, cross-site']) {
      const answer = await post([`Cookie: ${student.cookie()}`, `Sec-Fetch-Site: ${site}`])
      expect([site, answer.status]).toEqual([site, 403])
    }
    expect(await student.api.auth.me.query()).not.toBeNull()
    const me = await aStudent(lms)
    const own = await post([`Cookie: ${me.cookie()}`, 'Sec-Fetch-Site: same-origin'])
    expect(own.status).toBe(200)
  })

  it('is refused with a cookie and no sign of being a program', async () => {
    expect((await post([`Cookie: ${student.cookie()}`])).status).toBe(403)
    expect((await post(['Cookie: other=1'])).status).toBe(403)
    const program = await post(['Cookie: other=1', 'X-Trpc-Source: cli'], '/trpc/auth.login')
    expect([program.status, reasonIn(program.body)]).toEqual([400, 'INVALID_INPUT'])
  })

  it('gains nothing from a foreign origin by claiming to be a program', async () => {
    const answer = await post([
      `Cookie: ${student.cookie()}`,
      'Origin: https://evil.example',
      'Sec-Fetch-Site: same-origin',
      'X-Trpc-Source: cli',
    ])
    expect(answer.status).toBe(403)
  })

  it('is refused whatever the type of the body is', async () => {
    for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/json']) {
      const answer = await sendRaw(
        lms.url,
        request('POST /trpc/auth.logout', [
          `Content-Type: ${type}`,
          'Content-Length: 0',
          `Cookie: ${student.cookie()}`,
          'Origin: https://evil.example',
        ]),
      )
      expect([type, answer.status]).toEqual([type, 403])
    }
    expect(await student.api.auth.me.query()).not.toBeNull()
  })
})
