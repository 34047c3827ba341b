import { gzipSync } from 'node:zlib'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startLms, type Lms } from '../support/harness.ts'
import { reasonIn } from '../support/refusals.ts'
import { openWire, request, sendRaw } from '../support/raw.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

const LOGIN = '{"json":{"email":"nobody@example.test","password":"a password"}}'

// Wrong passwords are counted, and these tests are about what comes before.
beforeEach(() => {
  lms.clock.advance(3600)
})

async function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const response = await fetch(`${lms.url}/trpc/auth.login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  return [response.status, reasonIn(await response.text())]
}

const UNDERSTOOD = [401, 'WRONG_CREDENTIALS']

describe('the input of a call', () => {
  it('is plain JSON in UTF-8', async () => {
    expect(await post(LOGIN)).toEqual(UNDERSTOOD)
    expect(await post(LOGIN, { 'content-type': 'APPLICATION/JSON; Charset="UTF-8"' })).toEqual(
      UNDERSTOOD,
    )
    expect(await post(LOGIN, { 'content-encoding': 'identity' })).toEqual(UNDERSTOOD)
  })

  for (const type of [
    'text/plain',
    'text/plain; charset=application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'multipart/form-data',
    'application/octet-stream',
    'application/jsonp',
    'application/json, text/plain',
    'application/json; charset=utf-16',
    'application/json; charset=utf-7',
    'text/json',
    'application/json\u00a0',
    ' ',
  ]) {
    it(`is not taken as ${JSON.stringify(type)}`, async () => {
      const answer = await sendRaw(
        lms.url,
        request(
          'POST /trpc/auth.login',
          [`Content-Type: ${type}`, `Content-Length: ${LOGIN.length}`],
          LOGIN,
        ),
      )
      expect([answer.status, reasonIn(answer.body)]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
    })
  }

  it('is not taken without a type', async () => {
    const answer = await sendRaw(
      lms.url,
      request('POST /trpc/auth.login', [`Content-Length: ${LOGIN.length}`], LOGIN),
    )
    expect(answer.status).toBe(415)
  })

  it('is not unpacked', async () => {
    for (const encoding of ['gzip', 'br', 'deflate', 'GZIP', 'gzip, identity', 'zstd']) {
      const packed = new Uint8Array(gzipSync(LOGIN))
      expect(await post(packed, { 'content-encoding': encoding })).toEqual([
        415,
        'UNSUPPORTED_MEDIA_TYPE',
      ])
    }
    expect(await post(new Uint8Array(gzipSync(LOGIN)))).toEqual([400, 'MALFORMED_REQUEST'])
  })

  it('is JSON that can be read', async () => {
    const broken = [
      '',
      '{',
      '{"json":',
      '[',
      '"',
      '{"json":{}}x',
      "{'json':{}}",
      '\ufeff{"json":1}',
    ]
    for (const body of broken.slice(1)) {
      expect([body, ...(await post(body))]).toEqual([body, 400, expect.any(String)])
    }
    expect(await post(new Uint8Array([0x22, 0xff, 0xfe, 0x22]))).toEqual([400, 'MALFORMED_REQUEST'])
    expect(await post('')).toEqual([400, 'INVALID_INPUT'])
    expect(await post('null')).toEqual([400, 'MALFORMED_REQUEST'])
    expect(await post('5')).toEqual([400, 'MALFORMED_REQUEST'])
    expect(await post('[]')).toEqual([400, 'MALFORMED_REQUEST'])
  })

  it('names nothing twice, however it is spelled', async () => {
    for (const body of [
      '{"json":{"email":"a@example.test","password":"a password","email":"b@example.test"}}',
      '{"json":{},"json":{}}',
      '{"json":{"a":[{"b":1,"c":{},"b":2}]}}',
      '{"json":{"role":1,"r\\u006fle":2}}',
      '{"json":{"a\\"b":1,"a\\u0022b":2}}',
      '{"json":{"a" : 1 , "a"\n:2}}',
    ]) {
      expect([body, ...(await post(body))]).toEqual([body, 400, 'DUPLICATE_PARAMETER'])
    }
    const twiceButApart =
      '{"json":{"email":"nobody@example.test","password":"\\"email\\":","a":{"email":1},"b":["email","email"]}}'
    expect(await post(twiceButApart)).toEqual(UNDERSTOOD)
  })

  it('is refused twice in one batch as well', async () => {
    const response = await fetch(`${lms.url}/trpc/auth.login,auth.login?batch=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"0":${LOGIN},"0":${LOGIN}}`,
    })
    expect(response.status).toBe(400)
    expect(reasonIn(await response.text())).toBe('DUPLICATE_PARAMETER')
  })

  it('is neither deep nor endless', async () => {
    const deep = (depth: number) => `{"json":${'['.repeat(depth)}${']'.repeat(depth)}}`
    expect(await post(deep(20))).toEqual([400, 'INVALID_INPUT'])
    expect(await post(deep(40))).toEqual([400, 'MALFORMED_REQUEST'])
    expect(await post(deep(100_000))).toEqual([400, 'MALFORMED_REQUEST'])
    const objects = `{"json":${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}}`
    expect(await post(objects)).toEqual([400, 'MALFORMED_REQUEST'])
    expect(await post(`{"json":[${'0,'.repeat(50_000)}0]}`)).toEqual([400, 'MALFORMED_REQUEST'])
    const keys = Array.from({ length: 25_000 }, (_, n) => `"${n}":0`).join(',')
    expect(await post(`{"json":{${keys}}}`)).toEqual([400, 'MALFORMED_REQUEST'])
    expect(await post(`{"json":"${'\\\\'.repeat(100_000)}"}`)).toEqual([400, 'INVALID_INPUT'])
  })

  it('sets no prototype', async () => {
    for (const body of [
      '{"json":{"__proto__":{"role":"ADMIN"}}}',
      '{"json":{"__\\u0070roto__":{"role":"ADMIN"}}}',
      '{"__proto__":{"json":{}}}',
    ]) {
      expect(await post(body)).toEqual([400, 'MALFORMED_REQUEST'])
    }
    const inherited = `{"json":{"constructor":{"prototype":{"role":"ADMIN"}},"email":"nobody@example.test","password":"a password"}}`
    expect(await post(inherited)).toEqual(UNDERSTOOD)
    expect(Reflect.get({}, 'role')).toBeUndefined()
  })

  it('is limited to 256 kB, said or not', async () => {
    const exactly = LOGIN + ' '.repeat(256 * 1024 - LOGIN.length)
    expect(await post(exactly)).toEqual(UNDERSTOOD)
    expect(await post(`${exactly} `)).toEqual([413, 'BODY_TOO_LARGE'])
    expect(await post(' '.repeat(5_000_000))).toEqual([413, 'BODY_TOO_LARGE'])
    const chunk = `8000\r\n${' '.repeat(0x8000)}\r\n`
    const answer = await sendRaw(
      lms.url,
      request(
        'POST /trpc/auth.login',
        ['Content-Type: application/json', 'Transfer-Encoding: chunked'],
        chunk.repeat(9),
      ),
    )
    expect([answer.status, reasonIn(answer.body)]).toEqual([413, 'BODY_TOO_LARGE'])
  })

  it('is refused by its announced size, before any of it is sent', async () => {
    const wire = openWire(lms.url)
    wire.send(
      request('POST /trpc/auth.login', [
        'Content-Type: application/json',
        'Content-Length: 99999999',
      ]),
    )
    expect((await wire.answer()).status).toBe(413)
    wire.socket.destroy()
  })

  it('is not half run when the client goes away', async () => {
    const before = await lms.db.orm.users.all()
    const wire = openWire(lms.url)
    const body = '{"json":{"name":"Half","email":"half@example.test","password":"a fine password"}}'
    wire.send(
      request(
        'POST /trpc/auth.register',
        ['Content-Type: application/json', `Content-Length: ${body.length + 1}`],
        body,
      ),
    )
    wire.socket.end()
    await wire.closed
    expect((await lms.visitor().fetch('/healthz')).status).toBe(200)
    expect(await lms.db.orm.users.all()).toEqual(before)
  })
})
