import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import { oid } from '../db.ts'
import type { Uses } from '../deps.ts'
import type { Job } from '../jobs.ts'
import { secretOf } from './second-factor.ts'

const AT_ONCE = 500

/** Of the authenticators' secrets: how many were sealed anew, and how many no key here opens. */
export type Sealed = { sealed: number; unreadable: number }

/**
 * Seals by the newest key what another key sealed, or none: secrets were kept in clear once. May run anywhere
 * and at any time; whoever signs in meanwhile notices nothing.
 */
export async function sealSecrets(
  { db, secretBox }: Uses<'db' | 'secretBox'>,
  stopping?: AbortSignal,
): Promise<Sealed> {
  const done: Sealed = { sealed: 0, unreadable: 0 }
  for (let last = '0'.repeat(24); stopping?.aborted !== true;) {
    const page = await nextPage(db, last)
    for (const { _id, userId, secret } of page) {
      last = _id
      if (secretBox.isCurrent(secret)) continue
      const opened = readable(secretBox, { userId, secret })
      if (opened === null) done.unreadable += 1
      else {
        // Whoever has just begun anew has another secret here already.
        const sealed = secretBox.seal(opened, userId)
        if (await db.orm.totps.where({ _id, secret }).update({ secret: sealed })) done.sealed += 1
      }
    }
    if (page.length < AT_ONCE) break
  }
  return done
}

const nextPage = (db: Uses<'db'>['db'], last: string) =>
  db.orm.totps
    .where(Field.gt('_id', oid(last)))
    .orderBy({ _id: 1 })
    .limit(AT_ONCE)
    .all()

function readable(
  secretBox: Uses<'secretBox'>['secretBox'],
  factor: { userId: string; secret: string },
): string | null {
  try {
    return secretOf({ secretBox }, factor)
  } catch {
    return null
  }
}

/** Seals anew after a change of keys, by itself, in the first hour that the new one is configured. */
export const sealSecretsAnew: Job = {
  name: 'seal-secrets',
  everySeconds: 3600,
  run: async (deps, stopping) => {
    const done = await sealSecrets(deps, stopping)
    if (done.sealed > 0) deps.log.info(done, 'secrets sealed by the newest key')
    if (done.unreadable > 0) deps.log.error(done, 'secrets sealed by a key that is not configured')
  },
}
