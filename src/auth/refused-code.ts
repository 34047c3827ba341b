import type { Audited } from '../audit.ts'
import { DomainError } from '../errors.ts'
import { auditRarely } from './rare-audit.ts'
import type { Actor } from './sessions.ts'
import { targetOf } from './user.ts'

/** Writes a wrong code down, whoever is signed in or not yet, and refuses it. Throws WRONG_CODE. */
export async function refuseCode(
  deps: Audited,
  actor: Pick<Actor, 'id' | 'role'> | null,
  userId: string,
): Promise<never> {
  const target = targetOf(userId)
  await auditRarely(deps, { actor, act: 'auth.code-refused', target }, [
    { of: [target], most: 60, seconds: 3_600 },
  ])
  throw new DomainError('WRONG_CODE')
}
