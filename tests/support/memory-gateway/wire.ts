// One call to the company: a deadline, a breaker, another try where that is harmless, one way to fail.
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Breaker } from '../../../src/gateways/breaker.ts'
import {
  type EntityKind,
  GatewayFailure,
  type GatewayFailureDetails,
} from '../../../src/gateways/gateway-failure.ts'
import type { Answer, Api, Call } from './api.ts'
import { unreadableOf } from './facts.ts'

type Asked<T> = Call & {
  answer: z.ZodType<T>
  /** Asked twice, it is done once. */
  isRepeatable: boolean
  /** What the one thing is that is asked for. */
  kind?: EntityKind
}

export type Wire = <T>(asked: Asked<T>) => Promise<T>

const MOST_TRIES = 3
const MOST_SILENCES = 2

export function openWire(api: Api, timeoutMs: number, breaker: Breaker): Wire {
  return async ({ answer, isRepeatable, kind, ...call }) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const body = await breaker(() => ask(api, call, timeoutMs))
        const { data, error } = answer.safeParse(body)
        if (!error) return data
        const entity = kind && unreadableOf(kind, body, error)
        const description = entity ? `${kind} cannot be read` : 'not what was asked for'
        const isIt = entity !== undefined && entity.id === call.id
        throw failure({
          kind: 'nonsense',
          description,
          retryable: !isIt,
          ...(isIt && { unreadable: entity }),
        })
      } catch (error) {
        if (!(error instanceof GatewayFailure)) throw error
        const most = error.kind === 'timeout' ? MOST_SILENCES : MOST_TRIES
        const mayRepeat = error.retryable && (isRepeatable || error.unsent)
        if (!mayRepeat || attempt >= most || error.code === 'BREAKER_OPEN') throw error
      }
    }
  }
}

async function ask(api: Api, call: Call, timeoutMs: number): Promise<unknown> {
  const silence = new AbortController()
  const deadline = sleep(timeoutMs, 'late' as const, { signal: silence.signal }).catch(() => null)
  const answer = await Promise.race([api.request(call), deadline])
  silence.abort()
  if (answer === 'late')
    throw failure({ kind: 'timeout', description: 'no answer in time', retryable: true })
  if (answer === null)
    throw failure({ kind: 'unreachable', description: 'no connection', retryable: true })
  return read(answer)
}

const Denied = z.object({ denied: z.string() })

function read({ status, text }: NonNullable<Answer>): unknown {
  const body = jsonOf(text)
  if (status === 200) return body
  const code = Denied.safeParse(body).data?.denied ?? `HTTP ${status}`
  const no = { statusCode: status, code, description: code }
  if (status >= 500) throw failure({ ...no, kind: 'server', retryable: true })
  if (status === 429) throw failure({ ...no, kind: 'throttled', retryable: true, unsent: true })
  if (status === 409) throw failure({ ...no, kind: 'conflict', retryable: false })
  throw failure({
    ...no,
    kind: 'refused',
    retryable: false,
    unsent: true,
    // Here a number tells what the words do elsewhere: 402 is for want of money, which may come.
    isFinal: status === 422,
    isUnknown: status === 404,
  })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

function failure(details: Omit<GatewayFailureDetails, 'gateway'>): GatewayFailure {
  return new GatewayFailure({ gateway: 'Memory', ...details })
}
