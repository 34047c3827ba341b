import type { TRPC_ERROR_CODE_KEY } from '@trpc/server'

/** Every refusal a client can meet: reason → [tRPC code, sentence]. The HTTP doors use the same table. */
const REASONS = {
  INVALID_INPUT: ['BAD_REQUEST', 'The input is not valid.'],
  MALFORMED_REQUEST: ['BAD_REQUEST', 'The request could not be read.'],
  DUPLICATE_PARAMETER: ['BAD_REQUEST', 'A parameter was given more than once.'],
  BODY_TOO_LARGE: ['PAYLOAD_TOO_LARGE', 'The request body is too large.'],
  ANSWER_TOO_LARGE: ['PAYLOAD_TOO_LARGE', 'Ask for less at once: the answer is too large.'],
  UNSUPPORTED_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'This content type is not accepted here.'],
  TOO_SLOW: ['TIMEOUT', 'The request took too long to arrive.'],
  METHOD_NOT_SUPPORTED: ['METHOD_NOT_SUPPORTED', 'This method is not supported here.'],
  NOT_FOUND: ['NOT_FOUND', 'There is nothing here.'],
  TOO_MANY_REQUESTS: ['TOO_MANY_REQUESTS', 'Too many requests. Wait a little and try again.'],
  UNAVAILABLE: ['SERVICE_UNAVAILABLE', 'The service is not available right now. Try again soon.'],
  INTERNAL: ['INTERNAL_SERVER_ERROR', 'Something went wrong on our side.'],
  UNAUTHENTICATED: ['UNAUTHORIZED', 'Sign in first.'],
  FORBIDDEN: ['FORBIDDEN', 'You may not do this.'],
  ORIGIN_REFUSED: ['FORBIDDEN', 'This request does not come from an allowed origin.'],
  SECOND_FACTOR_NEEDED: ['FORBIDDEN', 'Set up a second factor first: your role cannot go without.'],
  PASSWORD_NEEDED: ['FORBIDDEN', 'Confirm your password first: this needs a recent sign-in.'],

  EMAIL_UNPROVEN: ['FORBIDDEN', 'Confirm your e-mail address first: we have mailed you a link.'],
  EMAIL_TAKEN: ['CONFLICT', 'That e-mail address is already registered.'],
  WRONG_CREDENTIALS: ['UNAUTHORIZED', 'The e-mail address or the password is wrong.'],
  WRONG_PASSWORD: ['FORBIDDEN', 'The password is wrong.'],
  TOTP_REQUIRED: ['UNAUTHORIZED', 'A code from your authenticator is needed.'],
  WRONG_CODE: ['UNAUTHORIZED', 'The code is wrong or was used already.'],
  TOTP_ALREADY_ON: ['CONFLICT', 'A second factor is on already.'],
  TOTP_NOT_ON: ['PRECONDITION_FAILED', 'There is no second factor to do this with.'],
  WEAK_PASSWORD: ['BAD_REQUEST', 'This password is too easy to guess.'],
  TOKEN_INVALID: ['BAD_REQUEST', 'This link is no longer valid.'],
  LAST_ADMIN: ['CONFLICT', 'The last administrator cannot be removed.'],
  HAS_PUBLISHED_COURSES: ['CONFLICT', 'Unpublish your courses first: people are learning in them.'],
  CHANGED_MEANWHILE: ['CONFLICT', 'This was changed by someone else meanwhile. Load it again.'],

  SLUG_TAKEN: ['CONFLICT', 'Another course has this address.'],
  COURSE_NOT_READY: ['PRECONDITION_FAILED', 'The course is not ready to be published.'],
  MEDIA_NOT_READY: ['PRECONDITION_FAILED', 'The file is not ready yet.'],
  FILE_TYPE_REFUSED: ['UNSUPPORTED_MEDIA_TYPE', 'This type of file is not accepted here.'],
  FILE_TOO_LARGE: ['PAYLOAD_TOO_LARGE', 'The file is too large.'],
  MEDIA_GATEWAY_DOWN: ['BAD_GATEWAY', 'The media store does not answer. Try again soon.'],
  NOTIFICATION_REFUSED: ['UNAUTHORIZED', 'The signature is not valid.'],
  QUOTA_REACHED: ['TOO_MANY_REQUESTS', 'You have reached the limit of stored files.'],

  NOT_ENROLLED: ['FORBIDDEN', 'Enrol in this course first.'],
  ALREADY_ENROLLED: ['CONFLICT', 'You are already enrolled in this course.'],
  NOT_FREE: ['PRECONDITION_FAILED', 'This course is not free.'],
  ACCESS_ENDED: ['FORBIDDEN', 'Your access to this course was ended.'],
  PAID_ACCESS: ['CONFLICT', 'Access that was paid for ends by a refund.'],
  OWN_COURSE: ['CONFLICT', 'This is your own course.'],
  QUIZ_LESSON: ['CONFLICT', 'A quiz is completed by passing it.'],
  ATTEMPTS_USED_UP: ['CONFLICT', 'No attempts are left for this quiz.'],
  ATTEMPT_CLOSED: ['CONFLICT', 'This attempt is already submitted or its time is over.'],
  CERTIFICATE_REVOKED: ['CONFLICT', 'This certificate was revoked: ask the school.'],
  CERTIFICATE_CORRECTED: ['CONFLICT', 'A certificate is corrected once; ask the school for more.'],
  REVIEW_TOO_EARLY: ['PRECONDITION_FAILED', 'Take a fifth of the course first, then review it.'],
  NOT_COMPLETED: ['PRECONDITION_FAILED', 'Complete the course first.'],

  EMPTY_CART: ['BAD_REQUEST', 'Choose at least one course.'],
  AMOUNT_TOO_SMALL: ['BAD_REQUEST', 'The total is below the least amount that can be paid.'],
  SIGNATURE_INVALID: ['BAD_REQUEST', 'The signature is not valid.'],
  PAYMENT_MISMATCH: ['CONFLICT', 'The payment does not match this order.'],
  PAYMENT_GATEWAY_DOWN: [
    'SERVICE_UNAVAILABLE',
    'The payment gateway does not answer. Try again soon.',
  ],
  TOO_MANY_OPEN_ORDERS: [
    'TOO_MANY_REQUESTS',
    'Pay for your open orders first, or let them expire.',
  ],
  ORDER_CLOSED: ['CONFLICT', 'This order can no longer be changed.'],
  NOT_IN_REVIEW: ['CONFLICT', 'No payment of this order waits for a decision.'],
  INVOICE_CLOSED: ['CONFLICT', 'This invoice can no longer be changed.'],
  COUPON_INVALID: ['BAD_REQUEST', 'This coupon cannot be used here.'],
  COUPON_USED_UP: ['CONFLICT', 'This coupon is used up.'],
  COUPON_TAKEN: ['CONFLICT', 'A coupon with this code exists already.'],
  REFUND_TOO_LARGE: ['CONFLICT', 'More would be refunded than was paid.'],
  REFUND_REFUSED: ['CONFLICT', 'The payment gateway refused this refund.'],
  REFUND_WINDOW_OVER: ['CONFLICT', 'The time for a refund is over.'],
  REFUND_TOO_MUCH_WATCHED: ['CONFLICT', 'Too much of this course is done for a refund.'],
  NO_SELF_REFUND_LEFT: [
    'CONFLICT',
    'You have had the money for this course back before. Ask us for another refund.',
  ],
  REFUND_DISPUTED: [
    'CONFLICT',
    'This payment is disputed with the bank: it cannot be refunded now.',
  ],
  NOTHING_TO_REFUND: ['CONFLICT', 'There is nothing left to refund.'],
  KEY_REUSED: ['CONFLICT', 'This idempotency key was used for something else.'],
} as const satisfies Record<string, readonly [TRPC_ERROR_CODE_KEY, string]>

/** Why something was refused: what clients switch on. */
export type Reason = keyof typeof REASONS

/** One fault of one input field (`path` as in `sections.0.title`), or one thing that is missing. */
export type Issue = { path: string; message: string }

type Details = {
  issues?: Issue[]
  retryAfterSeconds?: number
  cause?: unknown
  isDenied?: boolean
}

/**
 * A refusal, thrown by whoever decides it and answered by whichever door it reaches. `retryAfterSeconds` is
 * answered as Retry-After; `cause` is for the log alone, and so is `isDenied`: what reads as not there is there,
 * and another's.
 */
export class DomainError extends Error {
  readonly reason: Reason
  readonly issues: Issue[]
  readonly retryAfterSeconds: number | undefined
  readonly isDenied: boolean

  constructor(reason: Reason, details: Details = {}) {
    super(sentenceOf(reason), { cause: details.cause })
    this.name = 'DomainError'
    this.reason = reason
    this.issues = details.issues ?? []
    this.retryAfterSeconds = details.retryAfterSeconds
    this.isDenied = details.isDenied === true
  }
}

/**
 * Refuses one field of an input with INVALID_INPUT, for what its schema cannot know; `path` as in
 * `sections.0.title`.
 */
export function refuseInput(path: string, message: string): never {
  throw new DomainError('INVALID_INPUT', { issues: [{ path, message }] })
}

/** The tRPC code of a reason, which decides the HTTP status at every door. */
export function codeOf(reason: Reason): TRPC_ERROR_CODE_KEY {
  return REASONS[reason][0]
}

/** The sentence that a client may show to people. */
export function sentenceOf(reason: Reason): string {
  return REASONS[reason][1]
}

const REASON_OF_CODE: Partial<Record<TRPC_ERROR_CODE_KEY, Reason>> = {
  PARSE_ERROR: 'MALFORMED_REQUEST',
  BAD_REQUEST: 'MALFORMED_REQUEST',
  UNAUTHORIZED: 'UNAUTHENTICATED',
  FORBIDDEN: 'FORBIDDEN',
  NOT_FOUND: 'NOT_FOUND',
  METHOD_NOT_SUPPORTED: 'METHOD_NOT_SUPPORTED',
  PAYLOAD_TOO_LARGE: 'BODY_TOO_LARGE',
  UNSUPPORTED_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  TOO_MANY_REQUESTS: 'TOO_MANY_REQUESTS',
  CLIENT_CLOSED_REQUEST: 'MALFORMED_REQUEST',
}

/**
 * The reason for an error that tRPC raised itself, as for an unknown procedure; INTERNAL for any it should
 * not.
 */
export function reasonOfCode(code: TRPC_ERROR_CODE_KEY): Reason {
  return REASON_OF_CODE[code] ?? 'INTERNAL'
}
