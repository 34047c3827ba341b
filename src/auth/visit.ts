import type { Audited } from '../audit.ts'
import type { Context } from '../context.ts'
import type { Uses } from '../deps.ts'

/** A call of someone who may not be signed in yet: what accounts are guarded by, and the answer's cookies. */
export type Visit = Audited &
  Uses<'sessions' | 'secretBox' | 'settings'> &
  Pick<Context, 'actor' | 'device' | 'setCookie'>
