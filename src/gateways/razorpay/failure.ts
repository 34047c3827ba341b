import { z } from 'zod'

/**
 * refused: answered 4xx, or never sent because our own input was malformed; unreachable: no
 * connection, or the breaker is open; timeout: no whole answer in time; throttled: 429; server: 5xx;
 * nonsense: an answer that is not what was asked for; conflict: 409, or an idempotency key reused.
 */
export type RazorpayFailureKind =
  'refused' | 'unreachable' | 'timeout' | 'throttled' | 'server' | 'nonsense' | 'conflict'

export type RazorpayFailureDetails = {
  kind: RazorpayFailureKind
  description: string
  statusCode?: number | undefined
  code?: string | undefined
  retryable: boolean
  /** True where Razorpay cannot have acted: nothing was sent, or it said no. */
  unsent?: boolean
}

/** Every way a call to Razorpay fails. It carries no request, so no secret can leave with it. */
export class RazorpayFailure extends Error {
  override readonly name = 'RazorpayFailure'
  readonly kind: RazorpayFailureKind
  readonly statusCode: number | undefined
  readonly code: string | undefined
  readonly description: string
  readonly retryable: boolean
  readonly unsent: boolean

  constructor(details: RazorpayFailureDetails) {
    super(`Razorpay: ${details.kind}: ${details.description}`)
    this.kind = details.kind
    this.statusCode = details.statusCode
    this.code = details.code
    this.description = details.description
    this.retryable = details.retryable
    this.unsent = details.unsent ?? false
  }
}

const ErrorBody = z.object({ error: z.object({ code: z.string(), description: z.string() }) })
const TransportError = z.object({ code: z.string() })

const NEVER_CONNECTED = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']
const TOO_LATE = ['ECONNABORTED', 'ETIMEDOUT', 'ERR_CANCELED']

export function failureOfAnswer(statusCode: number, body: unknown): RazorpayFailure {
  const parsed = ErrorBody.safeParse(body)
  const code = parsed.data?.error.code.slice(0, 60)
  const description =
    parsed.data?.error.description.slice(0, 200) ?? `answered HTTP ${statusCode} without a reason`
  const answer = { statusCode, code, description }
  if (statusCode >= 500) return new RazorpayFailure({ ...answer, kind: 'server', retryable: true })
  if (statusCode === 429) {
    return new RazorpayFailure({ ...answer, kind: 'throttled', retryable: true, unsent: true })
  }
  // Razorpay documents a reused key as both 400 and 409, and a twin still in progress as 409.
  if (/^different request with the same idempotency key/i.test(description)) {
    return new RazorpayFailure({ ...answer, kind: 'conflict', retryable: false })
  }
  if (statusCode === 409) {
    return new RazorpayFailure({ ...answer, kind: 'conflict', retryable: true })
  }
  if (statusCode >= 400) {
    return new RazorpayFailure({ ...answer, kind: 'refused', retryable: false, unsent: true })
  }
  return nonsense(`answered HTTP ${statusCode}`)
}

/** What axios says when there was no answer; only its code is looked at. */
export function failureOfTransport(error: unknown): RazorpayFailure {
  const code = TransportError.safeParse(error).data?.code.slice(0, 60) ?? 'UNKNOWN'
  if (TOO_LATE.includes(code)) {
    return new RazorpayFailure({
      kind: 'timeout',
      code,
      description: 'no answer in time',
      retryable: true,
    })
  }
  // The answer grew past maxContentLength.
  if (code === 'ERR_BAD_RESPONSE') return nonsense('an answer too large to read')
  return new RazorpayFailure({
    kind: 'unreachable',
    code,
    description: 'no connection',
    retryable: true,
    unsent: NEVER_CONNECTED.includes(code),
  })
}

/** Whether anything happened is unknown, so it counts as a failure and may be tried again. */
export function nonsense(description: string): RazorpayFailure {
  return new RazorpayFailure({ kind: 'nonsense', description, retryable: true })
}

/** Our own mistake, caught before anything is sent. */
export function malformed(description: string): RazorpayFailure {
  return new RazorpayFailure({
    kind: 'refused',
    code: 'MALFORMED_INPUT',
    description,
    retryable: false,
    unsent: true,
  })
}
