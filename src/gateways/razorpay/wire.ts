import { setTimeout as sleep } from 'node:timers/promises'
import RazorpaySdk from 'razorpay'
import { z } from 'zod'
import type { Breaker } from '../breaker.ts'
import { type EntityKind, GatewayFailure } from '../gateway-failure.ts'
import { failureOfAnswer, failureOfTransport, nonsense, unreadable } from './failure.ts'
import { faultsOf, unreadableOf } from './unreadable.ts'

export type WireOptions = {
  keyId: string
  keySecret: string
  apiUrl: string
  timeoutMs: number
  random: () => number
  breaker: Breaker
}

export type Call<T> = {
  answer: z.ZodType<T>
  /** The one entity that is asked for: an answer that is it, and not of its shape, is `unreadable`. */
  of?: { kind: EntityKind; id: string }
  run: (sdk: RazorpaySdk) => Promise<unknown>
  /** A call that cannot be repeated is tried again only where Razorpay cannot have acted. */
  isRepeatable: boolean
  headers?: Record<string, string>
}

export type Wire = <T>(call: Call<T>) => Promise<T>

const MAX_ATTEMPTS = 3
/** A second silence in a row is believed. */
const MAX_TIMEOUTS = 2
const BACKOFF_MS = 50
const MAX_ANSWER_BYTES = 1024 * 1024
const MAX_REQUEST_BYTES = 64 * 1024

/** One call through the SDK: retried where that is harmless, parsed, failing in one way only. */
export function openWire(options: WireOptions): Wire {
  return async ({ answer, of, run, isRepeatable, headers = {} }) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const body = await options.breaker(() => attemptOnce(options, headers, run))
        const parsed = answer.safeParse(body)
        if (parsed.success) return parsed.data
        throw misread(body, parsed.error, of)
      } catch (error) {
        const failure = asFailure(error)
        const attempts = failure.kind === 'timeout' ? MAX_TIMEOUTS : MAX_ATTEMPTS
        const mayRepeat = failure.retryable && (isRepeatable || failure.unsent)
        if (!mayRepeat || attempt >= attempts || failure.code === 'BREAKER_OPEN') throw failure
        await sleep(BACKOFF_MS * 2 ** attempt * (1 + options.random()))
      }
    }
  }
}

async function attemptOnce(
  options: WireOptions,
  headers: Record<string, string>,
  run: Call<unknown>['run'],
): Promise<unknown> {
  const silence = new AbortController()
  const timer = setTimeout(() => {
    silence.abort()
  }, options.timeoutMs)
  try {
    return await run(hardenedSdk(options, headers, silence.signal))
  } catch (error) {
    throw asFailure(error)
  } finally {
    clearTimeout(timer)
  }
}

type AxiosInside = {
  defaults: Record<string, unknown> & { headers: Record<string, unknown> }
  interceptors: { response: { use: (ok: undefined, failed: (error: unknown) => never) => void } }
}

/**
 * The SDK offers no host, deadline, redirect limit or header per call, so they are set on the axios
 * instance inside it; one instance per attempt, since what is set there holds for all its calls. Its
 * error handling turns a missing answer into a TypeError, so failures are read before it sees them.
 */
function hardenedSdk(
  { keyId, keySecret, apiUrl }: WireOptions,
  headers: Record<string, string>,
  signal: AbortSignal,
): RazorpaySdk {
  const sdk = new RazorpaySdk({ key_id: keyId, key_secret: keySecret })
  const { rq } = sdk.api as unknown as { rq: AxiosInside }
  Object.assign(rq.defaults, {
    baseURL: apiUrl,
    // The signal ends an attempt whatever it is doing; axios' own timeout only sees idle sockets.
    signal,
    // Credentials must not travel to wherever a redirect or an environment variable points.
    maxRedirects: 0,
    proxy: false,
    maxContentLength: MAX_ANSWER_BYTES,
    maxBodyLength: MAX_REQUEST_BYTES,
  })
  Object.assign(rq.defaults.headers, headers)
  rq.interceptors.response.use(undefined, (error) => {
    throw carried(failureOfAxios(error))
  })
  return sdk
}

const Answered = z.object({ response: z.object({ status: z.int(), data: z.unknown() }) })

function failureOfAxios(error: unknown): GatewayFailure {
  const { data } = Answered.safeParse(error)
  return data
    ? failureOfAnswer(data.response.status, data.response.data)
    : failureOfTransport(error)
}

// The SDK rejects with `{ statusCode, error: response.data.error }`: that is the way out.
function carried(failure: GatewayFailure): Error {
  const response = { status: failure.statusCode, data: { error: failure } }
  return Object.assign(new Error(failure.message), { response })
}

function asFailure(error: unknown): GatewayFailure {
  if (error instanceof GatewayFailure) return error
  const { data } = z.object({ error: z.instanceof(GatewayFailure) }).safeParse(error)
  return data?.error ?? nonsense('the SDK failed')
}

function misread(body: unknown, error: z.ZodError, of: Call<unknown>['of']): GatewayFailure {
  const entity = of === undefined ? null : unreadableOf(of.kind, body, error)
  return entity !== null && entity.id === of?.id
    ? unreadable(entity)
    : nonsense(`unexpected ${faultsOf(error)}`)
}
