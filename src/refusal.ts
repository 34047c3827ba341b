import { TRPCError } from '@trpc/server'
import { ZodError } from 'zod'
import { databaseFailureOf } from './db-failure.ts'
import { codeOf, DomainError, reasonOfCode, type Issue } from './errors.ts'

/**
 * The refusal that an error is, whichever door it was thrown at; null where nobody expected it, which is
 * INTERNAL to the client. What a door answers is read from here alone.
 */
export function refusalOf(error: unknown): DomainError | null {
  return expected(error) ?? (error instanceof TRPCError ? raisedByTrpc(error) : null)
}

/**
 * What was thrown as tRPC's own error, where it is a refusal, with the status that belongs to its reason;
 * else what it was. `askToWait` is told the seconds that the client shall wait, where the refusal names any.
 */
export function translated(error: unknown, askToWait: (seconds: number) => void): unknown {
  const refusal = expected(error)
  if (!refusal) return error
  if (refusal.retryAfterSeconds !== undefined) askToWait(refusal.retryAfterSeconds)
  return new TRPCError({ code: codeOf(refusal.reason), cause: refusal })
}

/** tRPC wraps whatever a procedure throws, so its own error is looked through. */
function expected(error: unknown): DomainError | null {
  const thrown = error instanceof TRPCError ? error.cause : error
  if (thrown instanceof DomainError) return thrown
  return databaseFailureOf(thrown)
    ? new DomainError('UNAVAILABLE', { cause: thrown, retryAfterSeconds: 5 })
    : null
}

function raisedByTrpc({ code, cause }: TRPCError): DomainError | null {
  // Only of an input: what a verb reads from the database and cannot parse is no fault of the client's.
  if (code === 'BAD_REQUEST' && cause instanceof ZodError)
    return new DomainError('INVALID_INPUT', { issues: issuesOf(cause), cause })
  const reason = reasonOfCode(code)
  return reason === 'INTERNAL' ? null : new DomainError(reason, { cause })
}

const MOST_ISSUES = 50

function issuesOf({ issues }: ZodError): Issue[] {
  return issues.slice(0, MOST_ISSUES).map(({ path, code, message }) => ({
    path: path.join('.'),
    // Zod would name the fields: a refusal repeats nothing that was sent.
    message: code === 'unrecognized_keys' ? 'has a field that is not known here' : message,
  }))
}
