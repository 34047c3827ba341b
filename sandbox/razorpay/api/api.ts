import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Account } from '../model/account.ts'
import { liveKeys } from '../model/account.ts'
import type { Faults } from './faults.ts'
import { misbehave, worksFirst } from './faults.ts'
import { readBody } from './http.ts'
import { Refusal } from '../model/refusal.ts'
import type { Call, Matched } from './routes.ts'
import { matchRoute } from './routes.ts'

/** One request as it came in, for tests to look at. */
export type SeenRequest = {
  method: string
  /** Path and query, without /v1. */
  path: string
  /** The route's name, or null where there was none. */
  route: string | null
  idempotencyKey: string | null
  userAgent: string | null
  body: Record<string, unknown>
  /** What was answered, or would have been had no fault struck. */
  status: number
  fault: string | null
}

export type Api = {
  account: Account
  faults: Faults
  requests: SeenRequest[]
  /** Refund keys whose answer is not out yet. */
  inFlight: Set<string>
  /** Told after everything that may have changed the account. */
  onChange: () => void
}

/** Answers one request below /v1: checks the key, finds the route, lets a fault strike where one waits. */
export async function answerApi(
  api: Api,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://sandbox')
  const path = url.pathname.slice('/v1'.length)
  const method = request.method ?? 'GET'
  const key = header(request, 'x-refund-idempotency')
  const seen: SeenRequest = {
    method,
    path: path + url.search,
    route: null,
    idempotencyKey: key ?? null,
    userAgent: header(request, 'user-agent') ?? null,
    body: {},
    status: 200,
    fault: null,
  }
  api.requests.push(seen)
  try {
    requireKey(api.account, request.headers.authorization)
    const matched = matchRoute(method, path)
    seen.route = matched.route.name
    seen.body = await readBody(request)
    const call = { ...matched, query: url.searchParams, body: seen.body, key }
    const release = holdKey(api, matched, key)
    response.on('close', release)
    const fault = api.faults.take(matched.route.name)
    seen.fault = fault?.kind ?? null
    const isWorking = fault === null || worksFirst(fault)
    const right = isWorking ? work(api, matched, call) : { status: 200, text: '{}' }
    seen.status = right.status
    if (fault) misbehave(fault, response, right)
    else {
      release()
      response.writeHead(right.status, { 'Content-Type': 'application/json' }).end(right.text)
    }
  } catch (error) {
    const right = refusalAnswer(error)
    seen.status = right.status
    response.writeHead(right.status, { 'Content-Type': 'application/json' }).end(right.text)
  }
}

function work(api: Api, matched: Matched, call: Call): { status: number; text: string } {
  try {
    const answer = matched.route.run(api.account, call)
    if (matched.route.method !== 'GET') api.onChange()
    return { status: 200, text: JSON.stringify(answer) }
  } catch (error) {
    return refusalAnswer(error)
  }
}

function refusalAnswer(error: unknown): { status: number; text: string } {
  if (!(error instanceof Refusal)) throw error
  return { status: error.status, text: JSON.stringify(error.body) }
}

// A twin of a refund still being worked on must not start a second one.
function holdKey(api: Api, { route }: Matched, key: string | undefined): () => void {
  if (route.name !== 'POST /payments/:id/refund' || key === undefined) return () => undefined
  if (api.inFlight.has(key)) {
    throw new Refusal('A request with the same idempotency key is still in progress.', {
      status: 409,
    })
  }
  api.inFlight.add(key)
  return () => api.inFlight.delete(key)
}

// `Basic` in exactly this case, as Razorpay documents it.
function requireKey(account: Account, authorization: string | undefined): void {
  const given = authorization?.startsWith('Basic ')
    ? Buffer.from(authorization.slice('Basic '.length), 'base64')
    : Buffer.alloc(0)
  const isKnown = liveKeys(account).some(({ id, secret }) => {
    const right = Buffer.from(`${id}:${secret}`)
    return right.length === given.length && timingSafeEqual(right, given)
  })
  if (isKnown) return
  throw new Refusal('Authentication failed', { status: 401, step: 'NA', reason: 'NA' })
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}
