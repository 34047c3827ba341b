import type { Context } from '../context.ts'
import type { Uses } from '../deps.ts'

/** A call of someone who may not be signed in yet: what accounts are guarded by, and the answer's cookies. */
export type Visit = Uses<'db' | 'sessions' | 'now'> &
  Pick<Context, 'actor' | 'device' | 'network' | 'requestId' | 'setCookie'>
