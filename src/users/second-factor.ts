import { audit, type Audited } from '../audit.ts'
import { endSessionsOf, type Actor } from '../auth/sessions.ts'
import { requireRecentPassword } from '../auth/step-up.ts'
import { targetOf } from '../auth/user.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { requireLiving, type UserChoice } from './manage.ts'

/** For an owner who has lost authenticator and recovery codes, or never had them; they sign in anew. */
export async function resetSecondFactor(
  deps: Audited & Uses<'sessions'>,
  actor: Actor,
  { userId }: UserChoice,
): Promise<null> {
  requireRecentPassword(deps, actor)
  const { _id } = await requireLiving(deps, userId)
  const removed = await deps.db.orm.totps.where({ userId: _id }).deleteAndCount()
  if (removed === 0) throw new DomainError('TOTP_NOT_ON')
  await endSessionsOf(deps, _id)
  await audit(deps, { actor, act: 'users.second-factor-reset', target: targetOf(_id) })
  return null
}
