import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createApp } from '../../src/app.ts'
import { openSessions } from '../../src/auth/open-sessions.ts'
import type { Deps } from '../../src/deps.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { reasonIn } from '../support/refusals.ts'

const SECRETS = 'mongodb://root:hunter2@db.internal/lms for asha@example.test in /srv/app/src/x.ts'

let lms: Lms
let failing: string
const servers: Server[] = []

/** The address of the whole application over a database that throws this at every statement. */
async function appThatThrows(thrown: Error): Promise<string> {
  const fail = () => {
    throw thrown
  }
  const broken = new Proxy({}, { get: fail })
  const db = { ...lms.db, orm: broken, query: broken, raw: broken, driver: broken, ping: fail }
  const sessions = openSessions({
    db: db as unknown as Deps['db'],
    now: lms.clock.now,
    isSecure: false,
  })
  const app = createApp({ ...lms.deps, db, sessions } as unknown as Deps)
  const server = app.listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

beforeAll(async () => {
  lms = await startLms()
  lms.expectErrors()
  const talkative = Object.assign(new Error(SECRETS, { cause: new Error(SECRETS) }), {
    errInfo: { details: { password: 'hunter2', email: 'asha@example.test' } },
    keyValue: { email: 'asha@example.test' },
  })
  failing = await appThatThrows(talkative)
})
afterAll(() => {
  for (const server of servers) {
    server.close()
    server.closeAllConnections()
  }
})

const INPUT = 'input={"json":{}}'
const BATCH = 'input={"0":{"json":{}},"1":{"json":{}}}'

const requests: [string, number, string, RequestInit?][] = [
  ['a query', 500, `/trpc/courses.list?${INPUT}`],
  ['a batch', 500, `/trpc/courses.list,courses.list?batch=1&${BATCH}`],
  [
    'a stream',
    200,
    `/trpc/courses.list?batch=1&${BATCH}`,
    { headers: { 'trpc-accept': 'application/jsonl' } },
  ],
  ['a session', 500, '/trpc/auth.me', { headers: { cookie: `session=${'a'.repeat(40)}` } }],
  [
    'a mutation',
    500,
    '/trpc/auth.login',
    {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"json":{"email":"asha@example.test","password":"hunter2 hunter2"}}',
    },
  ],
  [
    'an upload',
    500,
    '/uploads/avatar',
    { method: 'POST', headers: { cookie: `session=${'a'.repeat(40)}`, 'x-trpc-source': 'tests' } },
  ],
  ['readiness', 503, '/readyz'],
]

describe('an error nobody expected', () => {
  for (const [what, status, path, init] of requests) {
    it(`tells the client a sentence and an id: ${what}`, async () => {
      const response = await fetch(`${failing}${path}`, init)
      const text = await response.text()
      expect(response.status).toBe(status)
      expect(text).toMatch(/INTERNAL|UNAVAILABLE/)
      expect(text).not.toMatch(/hunter2|mongodb|asha@|\.ts|node_modules|stack|errInfo|keyValue/)
    })
  }

  it('blames no input for what the database holds', async () => {
    const unreadable = z.object({ taxNumber: z.string() }).safeParse({}).error
    const at = await appThatThrows(unreadable ?? new Error())
    for (const path of [`/trpc/courses.list?${INPUT}`, '/receipts/65f000000000000000000001']) {
      const response = await fetch(`${at}${path}`, {
        headers: { cookie: `session=${'a'.repeat(40)}` },
      })
      const text = await response.text()
      expect([response.status, reasonIn(text)]).toEqual([500, 'INTERNAL'])
      expect(text).not.toContain('taxNumber')
    }
  })

  it('tells the log what happened and to which request, and no secret of it', async () => {
    const before = lms.logs().length
    const response = await fetch(`${failing}/trpc/courses.list?${INPUT}`)
    const id = response.headers.get('x-request-id')
    expect(await response.text()).toContain(id)
    const logged = lms.logs().slice(before).join('\n')
    expect(logged).toContain(id)
    expect(logged).toContain('"level":50')
    expect(logged).toContain('mongodb://[redacted]@db.internal/lms for [e-mail] in /srv/app')
    expect(lms.logs().join('\n')).not.toMatch(/hunter2|asha@|errInfo|keyValue/)
  })
})

describe('the log', () => {
  it('has a line per request, without its query, headers or body', async () => {
    const before = lms.logs().length
    await fetch(`${lms.url}/trpc/auth.login?token=secret-in-query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-secret': 'secret-in-header' },
      body: '{"json":{"email":"secret@in.body","password":"secret-in-body"}}',
    })
    const [line, ...more] = lms.logs().slice(before)
    expect(more).toEqual([])
    expect(JSON.parse(line ?? '')).toMatchObject({
      req: { method: 'POST', path: '/trpc/auth.login' },
      res: { status: 401 },
    })
    expect(line).not.toMatch(/secret/)
  })

  it('has one line however many a path holds', async () => {
    const before = lms.logs().length
    await fetch(`${lms.url}/x%0a{"level":60}%0d%0a`)
    expect(lms.logs().slice(before)).toHaveLength(1)
    expect(lms.logs().at(-1)).toContain('%0a')
  })

  it('cuts out what should not have been handed to it', () => {
    const before = lms.logs().length
    lms.deps.log.info({ password: 'p1', user: { passwordHash: 'p2', deep: { token: 'p3' } } }, 'x')
    lms.deps.log.info({ headers: { cookie: 'p4', authorization: 'p5', 'set-cookie': 'p6' } }, 'x')
    lms.deps.log.info({ body: { code: 'p7', current: 'p8', next: 'p9', signature: 'p10' } }, 'x')
    expect(lms.logs().slice(before).join()).not.toMatch(/"p\d+"/)
  })
})
