import { withinTime } from './deadline.ts'
import { SECOND_MS } from './durations.ts'
import type { Logger } from './log.ts'

const AT_ONCE = 8
const MAX_WAITING = 200
const STOP_MS = 10 * SECOND_MS

/** Work an answer does not wait for. What finds no room is left to a job, so it must be durable already. */
export type Background = {
  run: (work: () => Promise<unknown>) => void
  /** Resolves when nothing is under way. */
  idle: () => Promise<void>
  /** Begins nothing more, and waits ten seconds at most for what is under way. */
  stop: () => Promise<void>
}

/** Eight pieces of work at a time and two hundred waiting; one that fails is a warning in the log. */
export function openBackground(log: Logger): Background {
  const waiting: (() => Promise<unknown>)[] = []
  const running = new Set<Promise<void>>()
  let isStopping = false

  function start(work: () => Promise<unknown>): void {
    const done = work()
      .then(
        () => undefined,
        (error: unknown) => {
          log.warn({ err: error }, 'work put off')
        },
      )
      .then(() => {
        running.delete(done)
        const next = waiting.shift()
        if (next) start(next)
      })
    running.add(done)
  }

  const idle = async () => {
    while (running.size > 0) await Promise.all(running)
  }

  return {
    run: (work) => {
      if (isStopping) return
      if (running.size < AT_ONCE) start(work)
      else if (waiting.length < MAX_WAITING) waiting.push(work)
    },
    idle,
    stop: async () => {
      isStopping = true
      waiting.length = 0
      await withinTime(idle(), STOP_MS, () => undefined)
    },
  }
}
