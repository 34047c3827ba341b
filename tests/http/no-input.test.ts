import { createTRPCClient, httpBatchLink, httpBatchStreamLink } from '@trpc/client'
import superjson from 'superjson'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AppRouter } from '../../src/router.ts'
import { aStudent, type Person } from '../support/builders/people.ts'
import { startLms, type Lms } from '../support/harness.ts'
import { reasonIn } from '../support/refusals.ts'

let lms: Lms
let student: Person
beforeAll(async () => {
  lms = await startLms()
  student = await aStudent(lms)
})

const BROKEN = [
  '{bad',
  '[[[',
  '}}}}',
  '"',
  '"x"',
  '5',
  'true',
  'null',
  '[]',
  '[{}]',
  '{"json":',
  '{}x',
]

async function post(path: string, body: string) {
  const response = await student.fetch(`/trpc/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  return [response.status, reasonIn(await response.text())]
}

async function get(path: string, input: string, headers: Record<string, string> = {}) {
  const mark = path.includes('?') ? '&' : '?'
  const response = await student.fetch(`/trpc/${path}${mark}input=${encodeURIComponent(input)}`, {
    headers,
  })
  return [response.status, reasonIn(await response.text())]
}

const MALFORMED = [400, 'MALFORMED_REQUEST']

describe('a procedure that takes no input', () => {
  it('does not run when what came along cannot be read as one', async () => {
    for (const path of [
      'auth.logout',
      'auth.sessions.revokeOthers',
      'auth.logout,auth.logout?batch=1',
    ])
      for (const body of BROKEN)
        expect([path, body, ...(await post(path, body))]).toEqual([path, body, ...MALFORMED])
    expect(await student.api.auth.me.query()).not.toBeNull()
  })

  it('does not run in a batch that gives something else than inputs by their places', async () => {
    for (const body of ['{"0":5}', '{"0":null}', '{"0":{},"1":[]}', '{"0":"x"}'])
      expect([body, ...(await post('auth.logout,auth.logout?batch=1', body))]).toEqual([
        body,
        ...MALFORMED,
      ])
    expect(await student.api.auth.me.query()).not.toBeNull()
  })

  it('is asked by GET under the same rule, whichever code answers', async () => {
    for (const headers of [{}, { 'trpc-accept': 'application/json' }])
      for (const path of [
        'auth.me',
        'courses.list',
        'courses.list?batch=1',
        'auth.me,auth.me?batch=1',
      ])
        for (const input of BROKEN)
          expect([path, input, ...(await get(path, input, headers))]).toEqual([
            path,
            input,
            ...MALFORMED,
          ])
  })

  it('runs with no body, an empty object, and what ordinary clients send for nothing', async () => {
    const path = 'auth.sessions.revokeOthers'
    for (const body of ['', '{}', '{"json":null}', JSON.stringify(superjson.serialize(undefined))])
      expect([body, ...(await post(path, body))]).toEqual([body, 200, null])
    expect(await student.api.auth.sessions.revokeOthers.mutate()).toEqual({ ended: 0 })
    for (const link of [httpBatchLink, httpBatchStreamLink]) {
      const { auth } = createTRPCClient<AppRouter>({
        links: [
          link({
            url: `${lms.url}/trpc`,
            transformer: superjson,
            headers: { cookie: student.cookie(), 'x-trpc-source': 'tests' },
          }),
        ],
      })
      const revoke = () => auth.sessions.revokeOthers.mutate()
      expect(await Promise.all([revoke(), revoke()])).toEqual([{ ended: 0 }, { ended: 0 }])
      expect(await Promise.all([auth.me.query(), auth.me.query()])).toHaveLength(2)
    }
  })
})
