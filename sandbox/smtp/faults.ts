export type SmtpFault = {
  /** `refuse` cuts the connection, `hang` never answers the message, `code` answers with it. */
  kind: 'refuse' | 'hang' | 'code'
  /** 4xx is temporary, 5xx permanent. */
  code?: number
  /** How many messages it hits; 1 unless told. */
  times?: number
}

type Faults = {
  /** Waits behind those before it; the function answered takes it away again. */
  add: (fault: SmtpFault) => () => void
  /** The first of all, where it is of one of these kinds: it has struck once more now. */
  take: (...kinds: SmtpFault['kind'][]) => SmtpFault | undefined
}

/** None yet. */
export function openFaults(): Faults {
  let waiting: { fault: SmtpFault; left: number }[] = []
  return {
    add: (fault) => {
      const added = { fault, left: fault.times ?? 1 }
      waiting.push(added)
      return () => {
        waiting = waiting.filter((one) => one !== added)
      }
    },
    take: (...kinds) => {
      const [first] = waiting
      if (!first || !kinds.includes(first.fault.kind)) return undefined
      first.left -= 1
      if (first.left <= 0) waiting.shift()
      return first.fault
    },
  }
}
