import { TRPCError } from '@trpc/server'
import { isDatabaseDown } from './db.ts'
import { codeOf, DomainError } from './errors.ts'

/** The refusal that an error is, at whichever door it was thrown; null where nobody expected it. */
export function refusalOf(error: unknown): DomainError | null {
  if (error instanceof DomainError) return error
  return isDatabaseDown(error)
    ? new DomainError('UNAVAILABLE', { cause: error, retryAfterSeconds: 5 })
    : null
}

/** What was thrown as tRPC's own error, where it is a refusal: a context is made outside of every middleware. */
export function translated(error: unknown): unknown {
  const refusal = refusalOf(error)
  return refusal ? new TRPCError({ code: codeOf(refusal.reason), cause: refusal }) : error
}
