import { audit, type Audited } from '../audit.ts'
import { DomainError } from '../errors.ts'
import type { Actor } from './sessions.ts'
import { targetOf } from './user.ts'

/** Writes a wrong code down, whoever is signed in or not yet, and refuses it. Throws WRONG_CODE. */
export async function refuseCode(
  deps: Audited,
  actor: Pick<Actor, 'id' | 'role'> | null,
  userId: string,
): Promise<never> {
  await audit(deps, { actor, act: 'auth.code-refused', target: targetOf(userId) })
  throw new DomainError('WRONG_CODE')
}
