export type Action =
  'upload' | 'destroy' | 'explicit' | 'rename' | 'admin' | 'download' | 'delivery' | 'notification'

export type FaultKind =
  /** Answers `status` (420, 423, 429, 5xx) and does nothing. */
  | 'status'
  /** Reads everything, does nothing, never answers. */
  | 'hang'
  /** Does not even read the request. */
  | 'stall'
  /** Does the work and never answers, or cuts the connection instead of answering. */
  | 'store-then-hang'
  | 'store-then-reset'
  | 'reset'
  /** 200 with text that is not JSON, or with a page. */
  | 'garbage'
  | 'html'
  /** Answers a chunk as if it were kept, and forgets it. */
  | 'lose-chunk'
  /** For notifications. */
  | 'drop'
  | 'duplicate'
  | 'forge'

export type Fault = {
  on: Action
  kind: FaultKind
  status?: number
  /** How many requests it hits; 1 unless told. */
  times?: number
  /** How many it lets pass first: 2 breaks the third chunk. */
  after?: number
}

export type Faults = {
  /** Waits to strike until it has struck often enough, or until the function answered takes it away. */
  add(fault: Fault): () => void
  clear(): void
  /** The fault that strikes this request, if any. */
  take(action: Action): Fault | undefined
}

/** None yet. */
export function openFaults(): Faults {
  let pending: { fault: Fault; skip: number; left: number }[] = []
  return {
    add(fault) {
      const added = { fault, skip: fault.after ?? 0, left: fault.times ?? 1 }
      pending.push(added)
      return () => {
        pending = pending.filter((each) => each !== added)
      }
    },
    clear() {
      pending = []
    },
    take(action) {
      const found = pending.find(({ fault }) => fault.on === action)
      if (!found) return undefined
      if (found.skip > 0) {
        found.skip -= 1
        return undefined
      }
      found.left -= 1
      if (found.left <= 0) pending = pending.filter((each) => each !== found)
      return found.fault
    },
  }
}
