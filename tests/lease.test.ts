import { beforeAll, describe, expect, it } from 'vitest'
import { leased } from '../src/lease.ts'
import { runJob, startLms, type Lms } from './support/harness.ts'

let lms: Lms
beforeAll(async () => {
  lms = await startLms()
})

class Away extends Error {}

describe('a leased job', () => {
  it('is done by one instance at a time', async () => {
    const second = await lms.another()
    let [now, most, done] = [0, 0, 0]
    const job = leased({
      name: 'one-at-a-time',
      everySeconds: 1,
      work: async (_deps, keep) => {
        now += 1
        most = Math.max(most, now)
        expect(await keep()).toBe(true)
        now -= 1
        done += 1
      },
    })
    const instances = [lms.deps, second.deps, lms.deps, second.deps]
    await Promise.all(instances.map((deps) => runJob(job, deps)))
    expect(most).toBe(1)
    expect(done).toBeGreaterThan(0)
    const before = done
    await runJob(job, second.deps)
    expect(done).toBe(before + 1)
  })

  it('does not go on when the server is about to stop', async () => {
    const stopping = new AbortController()
    const kept: boolean[] = []
    const job = leased({
      name: 'stopping',
      everySeconds: 1,
      work: async (_deps, keep) => {
        kept.push(await keep())
        stopping.abort()
        kept.push(await keep())
      },
    })
    await job.run(lms.deps, stopping.signal)
    expect(kept).toEqual([true, false])
  })

  it('is put off by what is no fault of ours, and fails by anything else', async () => {
    const failing = (error: Error) =>
      leased({
        name: 'failing',
        everySeconds: 1,
        work: () => Promise.reject(error),
        isNoFault: (thrown) => thrown instanceof Away,
      })
    const before = lms.logs().length
    await runJob(failing(new Away('not there')), lms.deps)
    expect(lms.logs().slice(before).join()).toMatch(/"level":40.*not there.*job put off/)
    await expect(runJob(failing(new Error('a fault')), lms.deps)).rejects.toThrow('a fault')
  })
})
