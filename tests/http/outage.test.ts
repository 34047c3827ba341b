import { beforeAll, describe, expect, it } from 'vitest'
import { applyContract } from '../../prisma/apply.ts'
import { startMongo } from '../../sandbox/mongo/start.ts'
import { aStudent, type Person } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'

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
  it.each([
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

  it.each([
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
