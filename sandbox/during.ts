/** Does something, and answers how to undo it. */
export type Doing = () => () => void

/** Does it while `work` runs, and undoes it however `work` ends; a promise has ended when it is settled. */
export function during<T>(doing: Doing, work: () => Promise<T>): Promise<T>
export function during<T>(doing: Doing, work: () => T): T
export function during(doing: Doing, work: () => unknown): unknown {
  const undo = doing()
  let result: unknown
  try {
    result = work()
    return result instanceof Promise ? result.finally(undo) : result
  } finally {
    if (!(result instanceof Promise)) undo()
  }
}

/** Adds all of them, and answers how to take away what is left of them. */
export function addAll<T>(items: readonly T[], list: { add: (item: T) => () => void }): () => void {
  const takeAway = items.map((item) => list.add(item))
  return () => {
    for (const each of takeAway) each()
  }
}

/** Something that can be done for as long as `work` runs. */
export type While<Conditions> = {
  <T>(conditions: Conditions, work: () => Promise<T>): Promise<T>
  <T>(conditions: Conditions, work: () => T): T
}
