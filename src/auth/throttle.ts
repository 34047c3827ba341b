import { createHash } from 'node:crypto'
import { isDuplicateKey } from '../db.ts'
import type { Uses } from '../deps.ts'
import { SECOND_MS } from '../durations.ts'
import { DomainError } from '../errors.ts'

/** At most so many in a window that begins with the first one. Shared by all instances. */
export type Limit = { key: string; most: number; seconds: number }

type Bucket = { key: string; count: number; expiresAt: Date }

/** Names a bucket by a digest: strangers type addresses into forms, and those are not ours to collect. */
export function bucketKey(kind: string, ...parts: string[]): string {
  const digest = createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 40)
  return `${kind}:${digest}`
}

/** Counts one more attempt and answers the seconds to wait, or null while it is within the limit. */
export async function countAttempt(deps: Uses<'db' | 'now'>, limit: Limit): Promise<number | null> {
  const bucket = await increase(deps, limit)
  if (bucket.count <= limit.most) return null
  return Math.max(1, Math.ceil((bucket.expiresAt.getTime() - deps.now().getTime()) / SECOND_MS))
}

/**
 * Counts before the attempt is made, so that a hundred at once do not all pass while none is counted yet.
 * Throws TOO_MANY_REQUESTS with the seconds to wait.
 */
export async function requireAttempt(deps: Uses<'db' | 'now'>, limit: Limit): Promise<void> {
  const retryAfterSeconds = await countAttempt(deps, limit)
  if (retryAfterSeconds !== null) throw new DomainError('TOO_MANY_REQUESTS', { retryAfterSeconds })
}

/** Takes one attempt off each count: it was right, so nobody was guessing. */
export async function uncountAttempts({ db }: Uses<'db'>, keys: string[]): Promise<void> {
  if (keys.length === 0) return
  await buckets(db).updateMany({ key: { $in: keys }, count: { $gt: 0 } }, { $inc: { count: -1 } })
}

/** Forgets every attempt that was counted under this key. */
export async function clearAttempts({ db }: Uses<'db'>, key: string): Promise<void> {
  await db.orm.throttles.where({ key }).deleteAndCount()
}

/** Keeps a mark under a key for so many seconds from now. */
export async function setMark(
  { db, now }: Uses<'db' | 'now'>,
  key: string,
  seconds: number,
): Promise<void> {
  const expiresAt = new Date(now().getTime() + seconds * SECOND_MS)
  await db.orm.throttles
    .where({ key })
    .upsert({ create: { key, count: 1, expiresAt }, update: { expiresAt } })
}

/** Whether the mark is there and has not expired. */
export async function hasMark({ db, now }: Uses<'db' | 'now'>, key: string): Promise<boolean> {
  const found = await db.orm.throttles.where({ key }).first()
  return found !== null && found.expiresAt.getTime() > now().getTime()
}

// One statement decides whether the old window still runs and counts in it or begins a new one. Whether
// MongoDB has removed expired buckets by itself makes no difference.
async function increase({ db, now }: Uses<'db' | 'now'>, limit: Limit): Promise<Bucket> {
  const at = now()
  const isRunning = { $gt: ['$expiresAt', at] }
  const ends = new Date(at.getTime() + limit.seconds * SECOND_MS)
  const change = {
    count: { $cond: [isRunning, { $add: ['$count', 1] }, 1] },
    expiresAt: { $cond: [isRunning, '$expiresAt', ends] },
  }
  for (let attempt = 0; ; attempt += 1) {
    try {
      const bucket = await buckets(db).findOneAndUpdate({ key: limit.key }, [{ $set: change }], {
        upsert: true,
        returnDocument: 'after',
        // Every sign-in waits for it.
        maxTimeMS: 2_000,
      })
      if (bucket) return bucket
    } catch (error) {
      // Two who begin the same bucket at once: the second finds it there.
      if (!isDuplicateKey(error) || attempt > 3) throw error
    }
  }
}

const buckets = (db: Uses<'db'>['db']) => db.driver.collection<Bucket>('throttles')
