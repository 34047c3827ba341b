import { audit, type Act, type Audited } from '../audit.ts'
import { bucketKey, countAttempt } from './throttle.ts'

type Rarely = { most: number; seconds: number; of: string[] }

/**
 * Puts an act into the audit log that anybody can cause as often as they like: so many in a window of what `of`
 * names, and the rest are in the log of requests alone. Nothing ever removes an entry, so an attacker must not
 * be able to bury the others.
 */
export async function auditRarely(deps: Audited, act: Act, limits: Rarely[]): Promise<void> {
  for (const { most, seconds, of } of limits) {
    const key = bucketKey('audited', act.act, ...of)
    if ((await countAttempt(deps, { key, most, seconds })) !== null) return
  }
  await audit(deps, act)
}
