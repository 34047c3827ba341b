import { createTRPCClient, httpLink, TRPCClientError, type TRPCClient } from '@trpc/client'
import superjson from 'superjson'
import { expect } from 'vitest'
import type { Issue, Reason } from '../../src/errors.ts'
import type { AppRouter } from '../../src/router.ts'
import { keepSecret, learnFrom } from './secrets.ts'

export type Client = TRPCClient<AppRouter>

export type Visitor = {
  api: Client
  /** The Cookie header this visitor would send, or ''. */
  cookie: () => string
  /** Puts a cookie into the jar, as an attacker or another device would. */
  setCookie: (name: string, value: string) => void
  /** Takes the value of a Set-Cookie header, as a browser does. */
  takeCookie: (line: string) => void
  /** A plain HTTP request with this visitor's cookies. */
  fetch: (path: string, init?: RequestInit) => Promise<Response>
}

/** Says of a request that what it holds, and so its answer, was made up and is nobody's secret. */
export const GARBAGE = 'garbage'

/** An ordinary client of another process, with a cookie jar. */
export function visitor(url: string): Visitor {
  const jar = new Map<string, string>()
  const cookie = () => [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const takeCookie = (line: string) => {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (value === '') jar.delete(name)
    else jar.set(name, value)
    keepSecret(value)
  }
  const send = async (input: string | URL | Request, init: RequestInit = {}) => {
    const headers = new Headers(init.headers)
    if (jar.size > 0) headers.set('cookie', cookie())
    if (!headers.has('origin') && !headers.has('x-trpc-source'))
      headers.set('x-trpc-source', 'tests')
    const isGarbage = headers.get('x-trpc-source') === GARBAGE
    if (!isGarbage) learnFrom(init.body)
    const response = await fetch(input, { ...init, headers })
    if (!isGarbage && response.headers.get('content-type')?.startsWith('application/json'))
      learnFrom(await response.clone().text())
    for (const line of response.headers.getSetCookie()) takeCookie(line)
    return response
  }
  const link = httpLink({
    url: `${url}/trpc`,
    transformer: superjson,
    fetch: (input, init) => send(input, init as RequestInit),
  })
  return {
    api: createTRPCClient<AppRouter>({ links: [link] }),
    cookie,
    takeCookie,
    setCookie: (name, value) => void jar.set(name, value),
    fetch: (path, init) => send(`${url}${path}`, init),
  }
}

/** The same person in front of another instance, with the session they have. */
export function visitorAt(url: string, { cookie }: Pick<Visitor, 'cookie'>): Visitor {
  const there = visitor(url)
  for (const pair of cookie().split('; ')) {
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/.exec(pair) ?? []
    if (name !== '') there.setCookie(name, value)
  }
  return there
}

/** Waits for a call to be refused for this very reason, and answers the refusal's issues. */
export async function refused(call: Promise<unknown>, reason: Reason): Promise<Issue[]> {
  const outcome = await call.then(
    () => 'it was not refused',
    (error: unknown) => error,
  )
  expect(outcome instanceof TRPCClientError ? reasonOf(outcome) : String(outcome)).toBe(reason)
  return refusalOf(outcome)?.issues ?? []
}

/** The reason of a refused call, or what else went wrong with it. */
export function reasonOf(error: unknown): string {
  return refusalOf(error)?.reason ?? String(error)
}

function refusalOf(error: unknown): { reason: Reason; issues: Issue[] } | null {
  if (!(error instanceof TRPCClientError)) return null
  return error.data as { reason: Reason; issues: Issue[] } | null
}
