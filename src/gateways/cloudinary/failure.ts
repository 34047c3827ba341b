export type FailureKind =
  /** Cloudinary understood and said no: bad file, bad credentials, over the limit. */
  | 'refused'
  /** No connection, or one that broke: whether the work was done is unknown. */
  | 'unreachable'
  | 'timeout'
  | 'throttled'
  | 'server'
  /** An answer that is not what was asked for. */
  | 'nonsense'
  /** Our side gave up: the client left, or sent more than it may. */
  | 'aborted'

export type CloudinaryFailure = Error & {
  readonly name: 'CloudinaryFailure'
  readonly kind: FailureKind
  readonly status?: number
}

type Details = { status?: number; detail?: string }

/** Makes a CloudinaryFailure; of `detail` 200 characters are kept. */
export function failure(kind: FailureKind, details: Details = {}): CloudinaryFailure {
  const { status, detail } = details
  const message = [
    `Cloudinary: ${kind}`,
    status === undefined ? '' : ` (${status})`,
    detail === undefined ? '' : `: ${detail.replace(/\s+/g, ' ').slice(0, 200)}`,
  ].join('')
  return Object.assign(new Error(message), {
    name: 'CloudinaryFailure' as const,
    kind,
    ...(status !== undefined && { status }),
  })
}

/** Whether Cloudinary, or the way to it, is at fault. */
export function isCloudinaryFailure(error: unknown): error is CloudinaryFailure {
  return error instanceof Error && error.name === 'CloudinaryFailure'
}

/**
 * Makes one kind of error of the SDK's five shapes. The original is dropped, not kept as a cause:
 * some of the shapes carry `request_options.auth`, which is the key and the secret.
 */
export function toFailure(error: unknown): CloudinaryFailure {
  if (isCloudinaryFailure(error)) return error
  const { http_code: status, code, message } = shapeOf(error)
  if (typeof status === 'number') {
    const kind = kindOf(status)
    // What it says of a request is worth a log line; what it says of credentials quotes the
    // string that was signed.
    const isTellable = kind === 'refused' && status !== 401 && typeof message === 'string'
    return failure(kind, { status, ...(isTellable && { detail: message }) })
  }
  if (typeof code === 'string') return failure('unreachable', { detail: code })
  return failure('nonsense', error instanceof Error ? { detail: error.name } : {})
}

function shapeOf(error: unknown): Record<string, unknown> {
  if (typeof error !== 'object' || error === null) return {}
  const inner = 'error' in error ? error.error : error
  return typeof inner === 'object' && inner !== null ? { ...inner, ...messageOf(inner) } : {}
}

// An Error's own message is not enumerable, so spreading loses it.
function messageOf(error: object) {
  return error instanceof Error ? { message: error.message } : {}
}

function kindOf(status: number): FailureKind {
  if (status === 420 || status === 423 || status === 429) return 'throttled'
  // The SDK's own number for a socket that went silent.
  if (status === 499) return 'timeout'
  if (status >= 500) return 'server'
  return status >= 400 ? 'refused' : 'nonsense'
}
