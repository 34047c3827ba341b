import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent } from '../support/builders/people.ts'
import { ORIGIN, startLms, type Lms } from '../support/harness.ts'
import { reasonIn } from '../support/refusals.ts'
import { openWire, request, sendRaw } from '../support/raw.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

describe('a method', () => {
  for (const method of ['PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'PURGE', 'LINK', 'QUERY']) {
    it(`is refused on every path when it is ${method}`, async () => {
      for (const path of ['/trpc/auth.me', '/trpc/auth.login', '/healthz', '/nothing']) {
        const answer = await sendRaw(lms.url, request(`${method} ${path}`))
        expect([path, answer.status, reasonIn(answer.body)]).toEqual([
          path,
          405,
          'METHOD_NOT_SUPPORTED',
        ])
        expect(answer.headers.get('allow')).toContain('GET')
      }
    })
  }

  it('is refused when HTTP knows none of that name', async () => {
    for (const method of ['FOO', 'get', 'GET\u0000']) {
      const answer = await sendRaw(lms.url, request(`${method} /healthz`))
      expect([answer.status, reasonIn(answer.body)]).toEqual([400, 'MALFORMED_REQUEST'])
    }
  })

  it('opens no tunnel', async () => {
    const wire = openWire(lms.url)
    wire.send(request('CONNECT example.test:443'))
    await expect(wire.answer()).rejects.toThrow('closed')
  })

  it('is refused where the procedure is of the other kind', async () => {
    const mutation = await sendRaw(lms.url, request('GET /trpc/auth.logout'))
    expect([mutation.status, reasonIn(mutation.body)]).toEqual([405, 'METHOD_NOT_SUPPORTED'])
    expect(mutation.headers.get('allow')).toBe('POST')
    const query = await sendRaw(
      lms.url,
      request('POST /trpc/auth.me', ['Content-Type: application/json', 'Content-Length: 2'], '{}'),
    )
    expect([query.status, reasonIn(query.body)]).toEqual([405, 'METHOD_NOT_SUPPORTED'])
    expect(query.headers.get('allow')).toBe('GET')
  })

  it('is not overridden by a header or a parameter', async () => {
    const answer = await sendRaw(
      lms.url,
      request('GET /trpc/auth.logout?_method=POST', ['X-HTTP-Method-Override: POST']),
    )
    expect(answer.status).toBe(405)
  })

  it('runs nothing when it is HEAD', async () => {
    const student = await aStudent(lms)
    const response = await student.fetch('/trpc/auth.logout', { method: 'HEAD' })
    expect(response.status).toBe(204)
    expect(await student.api.auth.me.query()).not.toBeNull()
  })
})

describe('a path', () => {
  it('names a procedure in one way only', async () => {
    for (const path of [
      '/trpc/x/auth.me',
      '/trpc//auth.me',
      '/trpc/auth.me/',
      '/trpc/auth/me',
      '//trpc/auth.me',
      '/TRPC/auth.me',
      '/x/../trpc/auth.me',
      '/./trpc/auth.me',
      '/trpc;x/auth.me',
      '/trpc/AUTH.me',
      '/trpc/auth.me%00',
      '/trpc/auth.me%2f',
      '/%74rpc/auth.me',
      '/trpc\\auth.me',
    ]) {
      const answer = await sendRaw(lms.url, request(`GET ${path}`))
      expect([path, answer.status]).toEqual([path, 404])
    }
  })

  it('reaches no property of the router', async () => {
    for (const path of [
      '__proto__',
      'constructor',
      '_def',
      '_def.procedures',
      'auth',
      'auth._def',
      'auth.__proto__',
      'auth.me.constructor',
      'toString',
      'hasOwnProperty',
      'createCaller',
      '',
      '.',
      '..',
      ',',
    ]) {
      const answer = await sendRaw(lms.url, request(`GET /trpc/${path}`))
      expect([path, answer.status, reasonIn(answer.body)]).toEqual([path, 404, 'NOT_FOUND'])
    }
  })

  it('may not be an escape that means nothing', async () => {
    for (const path of ['/trpc/%', '/trpc/%ff', '/trpc/%E0%A4%A', '/trpc/auth.me%']) {
      const answer = await sendRaw(lms.url, request(`GET ${path}`))
      expect([path, answer.status, reasonIn(answer.body)]).toEqual([path, 400, 'MALFORMED_REQUEST'])
    }
  })

  it('may be absolute, and the host in it means nothing', async () => {
    const answer = await sendRaw(lms.url, request('GET http://evil.example/healthz'))
    expect([200, 404]).toContain(answer.status)
    expect(answer.body + JSON.stringify([...answer.headers])).not.toContain('evil')
  })
})

describe('the Host header', () => {
  it('is never repeated', async () => {
    for (const host of ['evil.example', 'evil.example:99999', '[', '"><script>', 'a b']) {
      for (const path of ['/trpc/auth.me', '/trpc/nothing', '/nothing']) {
        const answer = await sendRaw(
          lms.url,
          request(`GET ${path}`, [`Host: ${host}`, 'X-Forwarded-Host: evil.example']),
        )
        expect(answer.status).toBeLessThan(500)
        expect(answer.body + JSON.stringify([...answer.headers])).not.toContain('evil')
      }
    }
  })

  it('never becomes a link in a mail', async () => {
    const student = await aStudent(lms)
    const body = JSON.stringify({ json: { email: student.user.email } })
    const answer = await sendRaw(
      lms.url,
      request(
        'POST /trpc/auth.requestPasswordReset',
        [
          'Host: evil.example',
          'X-Forwarded-Host: evil.example',
          'X-Forwarded-Proto: https',
          'Forwarded: host=evil.example',
          `Origin: ${ORIGIN}`,
          'Content-Type: application/json',
          `Content-Length: ${body.length}`,
        ],
        body,
      ),
    )
    expect(answer.status).toBe(200)
    await lms.work()
    const mails = JSON.stringify(lms.smtp.mails())
    expect(mails).toContain(student.user.email)
    expect(mails).not.toContain('evil.example')
  })
})
