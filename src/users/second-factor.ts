import { audit, type Audited } from '../audit.ts'
import { tellOfFactor } from '../auth/factor-mails.ts'
import { removeSecondFactor } from '../auth/second-factor.ts'
import { endSessionsOf, type Actor } from '../auth/sessions.ts'
import { requireRecentPassword } from '../auth/step-up.ts'
import { targetOf, userOf } from '../auth/user.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { requireUndeleted, type UserChoice } from './manage.ts'

/**
 * Takes the second factor of an owner away who has lost authenticator and recovery codes, or never had them;
 * they sign in anew. Throws PASSWORD_NEEDED, NOT_FOUND, TOTP_NOT_ON.
 */
export async function resetSecondFactor(
  deps: Audited & Uses<'sessions'>,
  actor: Actor,
  { userId }: UserChoice,
): Promise<null> {
  requireRecentPassword(deps, actor)
  const user = await requireUndeleted(deps, userId)
  const { _id } = user
  if (!(await removeSecondFactor(deps, _id))) throw new DomainError('TOTP_NOT_ON')
  await endSessionsOf(deps, _id)
  await audit(deps, { actor, act: 'users.second-factor-reset', target: targetOf(_id) })
  await tellOfFactor(deps, userOf(user), 'taken-by-administrator')
  return null
}
