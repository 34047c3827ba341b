import { z } from 'zod'
import {
  GatewayFailure,
  type GatewayFailureDetails,
  type UnreadableEntity,
} from '../gateway-failure.ts'
import { isFinal, isUnknown } from './refusals.ts'

const GATEWAY = 'Razorpay'

const ErrorBody = z.object({ error: z.object({ code: z.string(), description: z.string() }) })
const TransportError = z.object({ code: z.string() })

const NEVER_CONNECTED = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']
const TOO_LATE = ['ECONNABORTED', 'ETIMEDOUT', 'ERR_CANCELED']

/** What an answer of 400 or above means, by its status and Razorpay's own words. */
export function failureOfAnswer(statusCode: number, body: unknown): GatewayFailure {
  const parsed = ErrorBody.safeParse(body)
  const code = parsed.data?.error.code.slice(0, 60)
  const description =
    parsed.data?.error.description.slice(0, 200) ?? `answered HTTP ${statusCode} without a reason`
  const answer = { statusCode, code, description }
  if (statusCode >= 500) return failure({ ...answer, kind: 'server', retryable: true })
  if (statusCode === 429) {
    return failure({ ...answer, kind: 'throttled', retryable: true, unsent: true })
  }
  // Razorpay documents a reused key as both 400 and 409, and a twin still in progress as 409.
  if (/^different request with the same idempotency key/i.test(description)) {
    return failure({ ...answer, kind: 'conflict', retryable: false, isFinal: isFinal(description) })
  }
  if (statusCode === 409) {
    return failure({ ...answer, kind: 'conflict', retryable: true })
  }
  if (statusCode >= 400) {
    const isOurs = isOurKey(statusCode, description)
    return failure({
      ...answer,
      kind: 'refused',
      retryable: false,
      unsent: true,
      isFinal: !isOurs && isFinal(description),
      isUnknown: !isOurs && isUnknown(description),
    })
  }
  return nonsense(`answered HTTP ${statusCode}`)
}

/** What axios says when there was no answer; only its code is looked at. */
export function failureOfTransport(error: unknown): GatewayFailure {
  const code = TransportError.safeParse(error).data?.code.slice(0, 60) ?? 'UNKNOWN'
  if (TOO_LATE.includes(code)) {
    return failure({
      kind: 'timeout',
      code,
      description: 'no answer in time',
      retryable: true,
    })
  }
  // The answer grew past maxContentLength.
  if (code === 'ERR_BAD_RESPONSE') return nonsense('an answer too large to read')
  return failure({
    kind: 'unreachable',
    code,
    description: 'no connection',
    retryable: true,
    unsent: NEVER_CONNECTED.includes(code),
  })
}

/** Whether anything happened is unknown, so it counts as a failure and may be tried again. */
export function nonsense(description: string): GatewayFailure {
  return failure({ kind: 'nonsense', description, retryable: true })
}

/** It is there, and not of the shape that is documented. */
export function unreadable(entity: UnreadableEntity): GatewayFailure {
  const description = `${entity.kind} ${entity.id ?? 'without an id'} cannot be read: ${entity.reason}`
  return failure({ kind: 'nonsense', description, retryable: false, unreadable: entity })
}

/** Our own mistake, caught before anything is sent. */
export function malformed(description: string): GatewayFailure {
  return failure({
    kind: 'refused',
    code: 'MALFORMED_INPUT',
    description,
    retryable: false,
    unsent: true,
    isFinal: true,
    isUnknown: true,
  })
}

/** A receipt that stands for another order than the one asked for. */
export function conflict(description: string): GatewayFailure {
  return failure({ kind: 'conflict', description, retryable: false })
}

/** Our own credentials were refused: nothing is known of what was asked. */
function isOurKey(statusCode: number, description: string): boolean {
  return statusCode === 401 || statusCode === 403 || /authentication failed/i.test(description)
}

function failure(details: Omit<GatewayFailureDetails, 'gateway'>): GatewayFailure {
  return new GatewayFailure({ gateway: GATEWAY, ...details })
}
