import { withinTime } from './deadline.ts'
import type { Deps } from './deps.ts'
import { SECOND_MS } from './durations.ts'

/**
 * Work that goes on by itself. `run` does what is due by `deps.now()` and returns, early where `stopping`
 * says so; it may be run by any number of instances, at the same time, and be killed anywhere.
 */
export type Job = {
  name: string
  everySeconds: number
  run: (deps: Deps, stopping: AbortSignal) => Promise<void>
}

/** Jobs under way, until they are stopped. */
export type Workers = { stop: () => Promise<void> }

// What cannot end by then is cut off, as it is by a crash: each job goes on where it was.
const STOP_MS = 15 * SECOND_MS

/** Runs every job at once and then again and again; `stop` waits 15 seconds at most for what is under way. */
export function startJobs(deps: Deps, jobs: Job[]): Workers {
  const stopping = new AbortController()
  const loops = jobs.map((job) => repeat(deps, job, stopping.signal))
  return {
    stop: async () => {
      stopping.abort()
      await withinTime(Promise.all(loops), STOP_MS, () => undefined)
    },
  }
}

async function repeat(deps: Deps, job: Job, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    try {
      await job.run(deps, stopping)
    } catch (error) {
      deps.log.error({ err: error, job: job.name }, 'job failed')
    }
    await pause(job.everySeconds * SECOND_MS, stopping)
  }
}

function pause(milliseconds: number, stopping: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    stopping.addEventListener('abort', end, { once: true })
    if (stopping.aborted) end()
  })
}
