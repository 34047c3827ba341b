import type { Context } from '../context.ts'
import { MINUTE_MS, SECOND_MS } from '../durations.ts'
import type { DomainError, Reason } from '../errors.ts'
import { auditRarely } from './rare-audit.ts'
import { targetOf } from './user.ts'

const HOUR_SECONDS = (60 * MINUTE_MS) / SECOND_MS

/** Refusals by which somebody who tries what they may not is noticed. */
const LOGGED: ReadonlySet<Reason> = new Set([
  'FORBIDDEN',
  'UNAUTHENTICATED',
  'NOT_ENROLLED',
  'ACCESS_ENDED',
  'SECOND_FACTOR_NEEDED',
  'PASSWORD_NEEDED',
  'ORIGIN_REFUSED',
  'WRONG_CREDENTIALS',
  'WRONG_PASSWORD',
  'WRONG_CODE',
  'TOO_MANY_REQUESTS',
])

type Refused = Pick<
  Context,
  'db' | 'now' | 'log' | 'network' | 'requestId' | 'nameRefusal' | 'actor' | 'enrolling'
>

/**
 * Says in the log of requests who was refused what. That a signed-in account asks for what its role or another's
 * ownership forbids, or far too often, is put into the audit log, rarely. Never rejects: the refusal is the
 * answer, whatever becomes of its trace.
 */
export async function noteRefusal(
  ctx: Refused,
  refusal: Pick<DomainError, 'reason' | 'isDenied'>,
  path: string,
): Promise<void> {
  const { reason, isDenied } = refusal
  if (!LOGGED.has(reason) && !isDenied) return
  const actor = ctx.actor ?? ctx.enrolling
  ctx.nameRefusal({ reason, path })
  const isWorthIt = reason === 'FORBIDDEN' || reason === 'TOO_MANY_REQUESTS' || isDenied
  if (!actor || !isWorthIt) return
  const act = {
    actor,
    act: reason === 'TOO_MANY_REQUESTS' ? 'access.throttled' : 'access.refused',
    target: targetOf(actor.id),
    after: { path, reason },
  }
  const limits = [
    { of: [actor.id, path, reason], most: 1, seconds: HOUR_SECONDS },
    { of: [actor.id], most: 20, seconds: HOUR_SECONDS },
  ]
  await auditRarely(ctx, act, limits).catch((error: unknown) => {
    ctx.log.warn({ err: error, requestId: ctx.requestId }, 'refusal not audited')
  })
}
