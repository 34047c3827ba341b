export type Clock = {
  now: () => Date
  /** Moves time on (or back, when negative) by so many seconds. */
  advance: (seconds: number) => void
}

/** The wall clock plus whatever was added to it: time goes on, and can be made to jump. */
export function openClock(): Clock {
  let offset = 0
  return {
    now: () => new Date(Date.now() + offset),
    advance: (seconds) => {
      offset += seconds * 1000
    },
  }
}
