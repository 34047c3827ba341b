/**
 * hang: no answer; cut: the connection breaks; busy: 429; a page under 502, 400 or 200; odd: the right answer, but for
 * the state of its thing, or of the first of a list.
 */
export type FaultKind = 'hang' | 'cut' | 'busy' | 'broken' | 'refusing' | 'nonsense' | 'odd'

export type Fault = {
  /** A route of api.ts, or `*`. */
  route: string
  kind: FaultKind
  /** The work is done first: whoever asked cannot know. */
  isDone?: boolean
  /** How many requests it strikes, default 1. */
  times?: number
}

export type Faults = {
  add: (fault: Fault) => void
  clear: () => void
  take: (route: string) => Fault | null
}

export function openFaults(): Faults {
  let waiting: (Fault & { times: number })[] = []
  return {
    add: (fault) => waiting.push({ times: 1, ...fault }),
    clear: () => {
      waiting = []
    },
    take: (route) => {
      const fault = waiting.find((one) => one.route === route || one.route === '*')
      if (!fault) return null
      fault.times -= 1
      waiting = waiting.filter(({ times }) => times > 0)
      return fault
    },
  }
}
