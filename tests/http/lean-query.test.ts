import { beforeAll, describe, expect, it } from 'vitest'
import { aStudent } from '../support/builders/people.ts'
import type { Visitor } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
let student: Visitor

beforeAll(async () => {
  lms = await startLms()
  student = await aStudent(lms)
})

/** What a client sees of an answer; ids and counters that differ from request to request are left out. */
async function seen(path: string, headers: Record<string, string>) {
  const response = await student.fetch(`/trpc/${path}`, { headers })
  const kept = [...response.headers].filter(
    ([name]) => !/^(x-request-id|ratelimit|date|content-length|transfer-encoding|vary)/.test(name),
  )
  const body = (await response.text()).replace(/"requestId":"[^"]+"/g, '')
  return { status: response.status, headers: Object.fromEntries(kept), body }
}

const json = (value: unknown) => encodeURIComponent(JSON.stringify(value))

describe('a query by GET', () => {
  it.each([
    ['auth.me'],
    ['account.get'],
    [`courses.list?input=${json({ json: { limit: 5 } })}`],
    [`courses.list?input=${json({ json: { limit: 0 } })}`],
    [`courses.list?input=${json({ json: {}, meta: { values: { cursor: ['undefined'] } } })}`],
    [`courses.bySlug?input=${json({ json: { slug: 'none' } })}`],
    ['courses.list?input=%7Bnot-json'],
    ['courses.bySlug'],
    ['auth.register'],
    ['users.list'],
    ['no.such.thing'],
    [`courses.list?batch=1&input=${json({ 0: { json: { limit: 5 } } })}`],
    [`courses.list?batch=1&input=${json([{ json: {} }])}`],
    [`auth.me,courses.list?batch=1&input=${json({ 1: { json: {} } })}`],
    ['auth.me?batch=1'],
    [`auth.me?batch=1&input=5`],
    [`courses.list?input=${json(5)}`],
    [`courses.list?input=${json({ json: {}, meta: { values: { q: ['regexp'] } } })}`],
    ['courses.list?input='],
    ['courses.list?batch=2'],
  ])('answers as tRPC’s own adapter does: %s', async (path) => {
    expect(await seen(path, {})).toEqual(await seen(path, { 'trpc-accept': 'application/json' }))
  })

  it('varies by what tRPC varies by', async () => {
    const response = await student.fetch('/trpc/auth.me')
    expect(response.headers.get('vary')?.toLowerCase()).toMatch(/origin/)
  })
})
