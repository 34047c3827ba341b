// MongoDB as one instance sees it: it can refuse, vanish, or stop answering after the nth write, made or not.
import { isWrite, startMongoProxy, type Command, type Fate } from '../../support/mongo-proxy.ts'

const SHAKEN_MS = 2_000
// The driver's own watch over the server goes on: the error is answered, so nobody waits for a timeout.
const ALWAYS = new Set(['hello', 'ismaster', 'isMaster'])

/** At the nth write from now: it is made and its answer lost, or it is not made. Then once, or for ever. */
export type Failure = { writes: number; isMade: boolean; isLast: boolean }

export type FlakyDatabase = {
  databaseUrl: string
  /** Answers every command with an error, until healed. */
  refuse: () => void
  /** Breaks every connection; new ones are taken. */
  blink: () => void
  heal: () => void
  failAt: (failure: Failure) => void
  /** Nothing comes through any more: for the database, this instance was killed. */
  isDead: () => boolean
  /** How many commands were not answered as they should have been. */
  spoiled: () => number
  /** Its connections were just broken, which the driver may not have noticed yet. */
  isShaken: () => boolean
  close: () => void
}

/** The database at this url, well until told otherwise. */
export async function openFlakyDatabase(databaseUrl: string): Promise<FlakyDatabase> {
  let mode: 'open' | 'refusing' | 'dead' = 'open'
  let failure: Failure | null = null
  let spoiled = 0
  let blinkedAt = -SHAKEN_MS

  function fateOf(command: Command): Fate {
    if (ALWAYS.has(command.name)) return 'pass'
    if (mode !== 'open') return 'refuse'
    if (!failure || !isWrite(command)) return 'pass'
    failure.writes -= 1
    if (failure.writes > 0) return 'pass'
    const { isMade, isLast } = failure
    if (isLast) mode = 'dead'
    failure = null
    return isMade ? 'refuse-answer' : 'refuse'
  }

  const proxy = await startMongoProxy(databaseUrl, (command) => {
    const fate = fateOf(command)
    if (fate !== 'pass') spoiled += 1
    return fate
  })
  return {
    databaseUrl: proxy.databaseUrl,
    refuse: () => {
      if (mode !== 'dead') mode = 'refusing'
    },
    blink: () => {
      spoiled += 1
      blinkedAt = performance.now()
      proxy.breakAll()
    },
    heal: () => {
      failure = null
      if (mode !== 'dead') mode = 'open'
    },
    failAt: (next) => {
      failure = { ...next }
    },
    isDead: () => mode === 'dead',
    spoiled: () => spoiled,
    isShaken: () => performance.now() - blinkedAt < SHAKEN_MS,
    close: proxy.close,
  }
}
