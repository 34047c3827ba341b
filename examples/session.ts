import { createTRPCClient, httpBatchLink, type TRPCClient } from '@trpc/client'
import superjson from 'superjson'
import type { AppRouter } from '../src/router.ts'

export type Api = TRPCClient<AppRouter>

/** Somebody at the API: a browser keeps the session cookie by itself, a program has to. */
export type Session = {
  api: Api
  upload: (purpose: string, file: File, courseId?: string) => Promise<{ mediaId: string }>
}

export function openSession(url: string): Session {
  let cookie = ''
  const send = async (input: string | URL | Request, init: RequestInit = {}) => {
    const headers = new Headers(init.headers)
    // What is no browser says so by this header; see "origins" in docs/security.md.
    headers.set('x-trpc-source', 'demo')
    if (cookie !== '') headers.set('cookie', cookie)
    const response = await fetch(input, { ...init, headers })
    const set = response.headers.getSetCookie().at(-1)
    if (set !== undefined) cookie = set.split(';', 1)[0] ?? ''
    return response
  }
  const api = createTRPCClient<AppRouter>({
    links: [
      httpBatchLink({
        url: `${url}/trpc`,
        transformer: superjson,
        fetch: (input, init) => send(input, init as RequestInit),
      }),
    ],
  })
  const upload = async (purpose: string, file: File, courseId?: string) => {
    const body = new FormData()
    body.set('file', file)
    const query = courseId === undefined ? '' : `?courseId=${courseId}`
    const response = await send(`${url}/uploads/${purpose}${query}`, { method: 'POST', body })
    const answer = (await response.json()) as { mediaId: string } | { error: { message: string } }
    if ('error' in answer) throw new Error(`The upload was refused: ${answer.error.message}`)
    return answer
  }
  return { api, upload }
}
