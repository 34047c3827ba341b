import type { Logger } from './log.ts'

const AT_ONCE = 8
const MAX_WAITING = 200

/** Work an answer does not wait for. What finds no room is left to a job, so it must be durable already. */
export type Background = {
  run: (work: () => Promise<unknown>) => void
  /** Resolves when nothing is under way. */
  idle: () => Promise<void>
}

export function openBackground(log: Logger): Background {
  const waiting: (() => Promise<unknown>)[] = []
  const running = new Set<Promise<void>>()

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

  return {
    run: (work) => {
      if (running.size < AT_ONCE) start(work)
      else if (waiting.length < MAX_WAITING) waiting.push(work)
    },
    idle: async () => {
      while (running.size > 0) await Promise.all(running)
    },
  }
}
