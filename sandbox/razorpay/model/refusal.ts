export type RefusalDetails = {
  status?: number
  code?: string
  field?: string
  step?: string
  reason?: string
}

/** What Razorpay answers to a client's mistake; thrown by the routes, written by the server. */
export class Refusal extends Error {
  readonly status: number
  readonly body: { error: Record<string, unknown> }

  constructor(description: string, details: RefusalDetails = {}) {
    super(description)
    this.status = details.status ?? 400
    this.body = {
      error: {
        code: details.code ?? 'BAD_REQUEST_ERROR',
        description,
        ...(details.field === undefined ? {} : { field: details.field }),
        source: 'business',
        step: details.step ?? 'payment_initiation',
        reason: details.reason ?? 'input_validation_failed',
        metadata: {},
      },
    }
  }
}

/** Refuses a body with fields that Razorpay does not know, naming all of them. */
export function refuseExtraFields(body: Record<string, unknown>, allowed: readonly string[]): void {
  const extra = Object.keys(body).filter((field) => !allowed.includes(field))
  const [first] = extra
  if (first === undefined) return
  throw new Refusal(`${extra.join(', ')} is/are not required and should not be sent`, {
    field: first,
    reason: 'extra_field_sent',
  })
}
