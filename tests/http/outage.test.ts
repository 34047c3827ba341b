import { beforeAll, describe, expect, it } from 'vitest'
import { applyContract } from '../../prisma/apply.ts'
import { startMongo } from '../../sandbox/mongo/start.ts'
import { aStudent, anAdmin, type Person } from '../support/builders/people.ts'
import { newDatabaseUrl } from '../support/databases.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { isWrite, startMongoProxy, type Command, type Fate } from '../support/mongo-proxy.ts'

let lms: Lms
let student: Person

beforeAll(async () => {
  const mongo = await startMongo()
  const database = mongo.databaseUrl('outage')
  await applyContract(database)
  lms = await startLms({ env: { DATABASE_URL: database } })
  student = await aStudent(lms)
  mongo.kill()
})

const json = { method: 'POST', headers: { 'content-type': 'application/json' } }

describe('without a database', () => {
  // At once, since each waits for as long as a primary is looked for.
  it.concurrent.each([
    ['a query of a visitor', '/trpc/courses.list', {}],
    ['a query of somebody signed in', '/trpc/auth.me', {}],
    ['a batch', '/trpc/auth.me,courses.list?batch=1&input={}', {}],
    ['a mutation', '/trpc/account.update', { ...json, body: '{"json":{"name":"Asha"}}' }],
    ['an upload', '/uploads/avatar', { method: 'POST', body: new FormData() }],
    ['a receipt', '/receipts/65f000000000000000000001', {}],
    ['readiness', '/readyz', {}],
  ])('says that it will be back, not that it is broken: %s', async (_what, path, init) => {
    const response = await student.fetch(path, init)
    expect(response.status).toBe(503)
    expect(await response.text()).toContain('"reason":"UNAVAILABLE"')
  })

  it.concurrent.each([
    ['a query', '/trpc/auth.me', {}],
    ['a query of tRPC’s own adapter', '/trpc/auth.me', { headers: { 'trpc-accept': 'x' } }],
    ['a batch', '/trpc/auth.me,courses.list?batch=1&input={}', {}],
    ['an upload', '/uploads/avatar', { method: 'POST', body: new FormData() }],
    ['a receipt', '/receipts/65f000000000000000000001', {}],
  ])('says how long to wait, whichever door answers: %s', async (_what, path, init) => {
    const response = await student.fetch(path, init)
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
  })

  it('is still alive', async () => {
    expect((await student.fetch('/healthz')).status).toBe(200)
  })
})

// What MongoDB answers while it elects, stops, is cut in two or is late, as [code, name].
const REFUSALS = [
  [50, 'MaxTimeMSExpired'],
  [262, 'ExceededTimeLimit'],
  [6, 'HostUnreachable'],
  [89, 'NetworkTimeout'],
  [91, 'ShutdownInProgress'],
  [189, 'PrimarySteppedDown'],
  [9001, 'SocketException'],
  [10107, 'NotWritablePrimary'],
  [11600, 'InterruptedAtShutdown'],
  [11602, 'InterruptedDueToReplStateChange'],
  [13435, 'NotPrimaryNoSecondaryOk'],
  [13436, 'NotPrimaryOrSecondary'],
] as const

describe('with a database that says why it cannot', () => {
  let fate: Fate = 'pass'
  let isMeant: (command: Command) => boolean = () => false
  let person: Person
  let admin: Person

  beforeAll(async () => {
    const database = newDatabaseUrl()
    const proxy = await startMongoProxy(database, (command) => (isMeant(command) ? fate : 'pass'))
    const sick = await startLms({ database, env: { DATABASE_URL: proxy.databaseUrl } })
    sick.expectErrors()
    person = await aStudent(sick)
    admin = await anAdmin(sick)
  })

  const post = (path: string, input: object) =>
    ({ path, init: { ...json, body: JSON.stringify({ json: input }) } }) as const
  const batch = { kind: 'PERCENT', value: 10, count: 3, prefix: 'TEAM' }
  const DOORS = {
    'a query': { path: '/trpc/courses.list', init: {} },
    'the session': { path: '/trpc/auth.me', init: {} },
    'a change of one document': post('/trpc/account.update', { name: 'Asha' }),
    'a change of many': post('/trpc/auth.sessions.revokeOthers', {}),
    'a batch': { path: '/trpc/auth.me,courses.list?batch=1&input={}', init: {} },
    'an upload': { path: '/uploads/avatar', init: { method: 'POST', body: new FormData() } },
    'a receipt': { path: '/receipts/65f000000000000000000001', init: {} },
  }

  const answers = async (who: Person) => {
    const told = Object.entries(DOORS).map(async ([what, { path, init }]) => {
      const response = await who.fetch(path, init)
      return [what, response.status, response.headers.get('retry-after')]
    })
    return Promise.all(told)
  }
  const putOff = Object.keys(DOORS).map((what) => [what, 503, '5'])

  // First what leaves the driver's picture of the set as it is; after some others it waits for a new one.
  it('still says of what nobody expected that it is our fault', async () => {
    fate = { answer: { ok: 0, code: 2, codeName: 'BadValue', errmsg: 'from a test' } }
    isMeant = ({ collection }) => collection === 'courses'
    expect((await person.fetch('/trpc/courses.list', {})).status).toBe(500)
  })

  it('says so of a bulk write', async () => {
    fate = { answer: { ok: 0, code: 10107, errmsg: 'from a test' } }
    isMeant = ({ name, collection }) => name === 'insert' && collection === 'coupons'
    const { path, init } = post('/trpc/coupons.createBatch', batch)
    expect((await admin.fetch(path, init)).status).toBe(503)
  })

  it.each([50, 64, 100, 91, 189])(
    'says so of a write that too few members know of: %i',
    async (code) => {
      const told = { writeConcernError: { code, errmsg: 'from a test' } }
      const value = { _id: 1 }
      fate = { answer: { ok: 1, n: 1, nModified: 1, value, ...told } }
      isMeant = isWrite
      const { path, init } = DOORS['a change of many']
      expect((await person.fetch(path, init)).status).toBe(503)
      const created = post('/trpc/coupons.createBatch', batch)
      expect((await admin.fetch(created.path, created.init)).status).toBe(503)
    },
  )

  it.each(REFUSALS)('says when to come again, at every door: %i %s', async (code, codeName) => {
    fate = { answer: { ok: 0, code, codeName, errmsg: 'from a test' } }
    isMeant = ({ collection }) => collection !== null
    expect(await answers(person)).toEqual(putOff)
  })
})
