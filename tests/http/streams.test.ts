import { createTRPCClient, httpBatchStreamLink } from '@trpc/client'
import superjson from 'superjson'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AppRouter } from '../../src/router.ts'
import { aStudent } from '../support/builders/people.ts'
import { refused } from '../support/client.ts'
import { startLms, type Lms } from '../support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

function streaming(headers: Record<string, string> = {}) {
  const cookies: string[] = []
  const link = httpBatchStreamLink({
    url: `${lms.url}/trpc`,
    transformer: superjson,
    headers: { 'x-trpc-source': 'tests', ...headers },
    fetch: async (input, init) => {
      const response = await fetch(input, init as RequestInit)
      cookies.push(...response.headers.getSetCookie())
      return response
    },
  })
  return { api: createTRPCClient<AppRouter>({ links: [link] }), cookies }
}

describe('a client that asks for a streamed batch', () => {
  it('is answered all its calls', async () => {
    const student = await aStudent(lms)
    const { api } = streaming({ cookie: student.cookie() })
    const [me, courses] = await Promise.all([api.auth.me.query(), api.courses.list.query({})])
    expect(me?.user.createdAt).toEqual(student.user.createdAt)
    expect(courses.items).toEqual([])
  })

  it('gets its session cookie', async () => {
    const student = await aStudent(lms)
    const { api, cookies } = streaming()
    const user = await api.auth.login.mutate({
      email: student.user.email,
      password: student.password,
    })
    expect(user.id).toBe(student.user.id)
    expect(cookies).toEqual([expect.stringMatching(/^session=\w{40}/)])
  })

  it('is refused with the same reasons', async () => {
    const { api } = streaming()
    await refused(
      api.auth.login.mutate({ email: 'nobody@example.test', password: 'some password' }),
      'WRONG_CREDENTIALS',
    )
  })
})
