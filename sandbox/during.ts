/** Does something, and answers how to undo it. */
export type Doing = () => () => void

/** Does it while `work` runs, and undoes it however `work` ends; a promise has ended when it is settled. */
export function during<T>(doing: Doing, work: () => PromiseLike<T>): Promise<T>
export function during<T>(doing: Doing, work: () => T): T
export function during(doing: Doing, work: () => unknown): unknown {
  const undo = doing()
  let isPending = false
  try {
    const result = work()
    if (!isPromise(result)) return result
    isPending = true
    return Promise.resolve(result).finally(undo)
  } finally {
    if (!isPending) undo()
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
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
  <T>(conditions: Conditions, work: () => PromiseLike<T>): Promise<T>
  <T>(conditions: Conditions, work: () => T): T
}
