import { setTimeout as sleep } from 'node:timers/promises'
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Stored } from '../src/db.ts'
import type { Deps } from '../src/deps.ts'
import { attemptNow, waitAfter, workOff, type WorkQueue } from '../src/work-queue.ts'
import { startLms, type Lms } from './support/harness.ts'

type Row = Stored<'outbox_mails'>

const CLAIM_SECONDS = 60
const always = () => Promise.resolve(true)

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})
beforeEach(async () => {
  await lms.db.driver.collection('outbox_mails').deleteMany({})
})

/** A row that falls due so many seconds from now. */
async function aRow(key: string, seconds = 0): Promise<string> {
  const at = lms.clock.now()
  const { _id } = await lms.db.orm.outbox_mails.create({
    key,
    to: 'reader@example.test',
    userId: null,
    template: 'receipt',
    data: {},
    state: 'WAITING',
    attempts: 0,
    nextAt: new Date(at.getTime() + seconds * 1000),
    error: null,
    createdAt: at,
    sentAt: null,
  })
  return _id
}

const rowOf = (key: string) => lms.db.orm.outbox_mails.where({ key }).first()

type Work = Partial<Pick<WorkQueue<Row>, 'attempt' | 'isAsRead' | 'done' | 'failed'>>

/** A queue of such rows that notes whom it attempts, in order. */
function aQueue({ db }: Pick<Deps, 'db'>, { attempt, ...others }: Work = {}) {
  const attempted: string[] = []
  const queue: WorkQueue<Row> = {
    open: db.orm.outbox_mails.where({ state: 'WAITING' }),
    claimMs: CLAIM_SECONDS * 1000,
    backoff: { firstMs: 10_000, longestMs: 30_000 },
    attempt: async (row) => {
      attempted.push(row.key)
      await attempt?.(row)
    },
    done: async ({ _id }) => {
      await db.orm.outbox_mails.where({ _id }).update({ state: 'DONE' })
    },
    failed: async ({ _id, attempts }, error, nextAt) => {
      await db.orm.outbox_mails.where({ _id, attempts }).update({ nextAt, error: String(error) })
    },
    ...others,
  }
  return { queue, attempted }
}

describe('the wait after a failed attempt', () => {
  it('doubles from the first to the longest', () => {
    const backoff = { firstMs: 5_000, longestMs: 60_000 }
    const waits = [1, 2, 3, 4, 5, 6, 500, 5_000].map((attempts) => waitAfter(attempts, backoff))
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 60_000, 60_000])
  })

  it('is what the row waits', async () => {
    await aRow('a')
    const { queue, attempted } = aQueue(lms.deps, {
      attempt: () => Promise.reject(new Error('not now')),
    })
    for (const seconds of [10, 20, 30, 30]) {
      await workOff(lms.deps, queue, { perRun: 10, keep: always })
      lms.clock.advance(seconds - 2)
      const before = attempted.length
      await workOff(lms.deps, queue, { perRun: 10, keep: always })
      expect(attempted).toHaveLength(before)
      lms.clock.advance(3)
    }
    expect(await rowOf('a')).toMatchObject({ attempts: 4, error: 'Error: not now' })
  })
})

describe('a run', () => {
  it('attempts what is due, oldest first, and nothing else', async () => {
    await aRow('young', -1)
    await aRow('later', 5)
    await aRow('oldest', -3)
    await aRow('middle', -2)
    const { queue, attempted } = aQueue(lms.deps)
    await workOff(lms.deps, queue, { perRun: 10, keep: always })
    expect(attempted).toEqual(['oldest', 'middle', 'young'])
  })

  it('attempts no more than it may, and at once no more than it may', async () => {
    for (let at = 0; at < 9; at += 1) await aRow(`row ${at}`, at - 20)
    let [now, most] = [0, 0]
    const { queue, attempted } = aQueue(lms.deps, {
      attempt: async () => {
        now += 1
        most = Math.max(most, now)
        await sleep(20)
        now -= 1
      },
    })
    await workOff(lms.deps, queue, { perRun: 7, atOnce: 3, keep: always })
    expect([attempted.length, most]).toEqual([7, 3])
  })

  it('ends where it may not go on', async () => {
    for (const key of ['a', 'b', 'c']) await aRow(key, -1)
    const { queue, attempted } = aQueue(lms.deps)
    const keep = () => Promise.resolve(attempted.length < 2)
    await workOff(lms.deps, queue, { perRun: 10, keep })
    expect(attempted).toHaveLength(2)
  })
})

describe('a row', () => {
  it('is attempted once, by however many at once', async () => {
    const second = await lms.another()
    const keys = Array.from({ length: 12 }, (_, at) => `row ${at}`)
    for (const key of keys) await aRow(key, -1)
    const attempt = () => sleep(20)
    const runs = [lms.deps, second.deps, lms.deps, second.deps].map(async (deps) => {
      const { queue, attempted } = aQueue(deps, { attempt })
      await workOff(deps, queue, { perRun: 50, atOnce: 4, keep: always })
      return attempted
    })
    const attempted = (await Promise.all(runs)).flat()
    expect(attempted.sort()).toEqual(keys.sort())
    for (const key of keys) expect(await rowOf(key)).toMatchObject({ state: 'DONE', attempts: 1 })
  })

  it('falls due again when whoever claimed it died', async () => {
    const id = await aRow('a')
    const dying = () => Promise.reject(new Error('died'))
    const { queue: dead } = aQueue(lms.deps, { attempt: dying, failed: dying })
    await expect(attemptNow(lms.deps, dead, id)).rejects.toThrow('died')
    const { queue, attempted } = aQueue(lms.deps)
    lms.clock.advance(CLAIM_SECONDS - 5)
    await workOff(lms.deps, queue, { perRun: 10, keep: always })
    expect(attempted).toEqual([])
    lms.clock.advance(6)
    await workOff(lms.deps, queue, { perRun: 10, keep: always })
    expect(attempted).toEqual(['a'])
  })

  it('is attempted on demand though it is not due, and not when it is done', async () => {
    const id = await aRow('a', 3_600)
    const { queue, attempted } = aQueue(lms.deps)
    await attemptNow(lms.deps, queue, id)
    await attemptNow(lms.deps, queue, id)
    await attemptNow(lms.deps, queue, '65f000000000000000000001')
    expect(attempted).toEqual(['a'])
  })

  it('is not claimed when it is no longer what was read', async () => {
    const id = await aRow('a')
    const { queue, attempted } = aQueue(lms.deps, {
      isAsRead: () => MongoFieldFilter.eq('template', 'refund'),
    })
    await attemptNow(lms.deps, queue, id)
    expect([attempted, (await rowOf('a'))?.attempts]).toEqual([[], 0])
  })

  it('that is done is no failure of the attempt, though nobody could note it', async () => {
    const id = await aRow('a')
    const { queue } = aQueue(lms.deps, { done: () => Promise.reject(new Error('no database')) })
    await expect(attemptNow(lms.deps, queue, id)).rejects.toThrow('no database')
    expect(await rowOf('a')).toMatchObject({ state: 'WAITING', attempts: 1, error: null })
  })
})
