// A payment company that was never in business, as unlike the ones we have as it can be: intents and charges,
// a charge that is only held until somebody asks for it, returns that wait for a bank, claims.
import { randomBytes, randomUUID } from 'node:crypto'

/** What a buyer may pay, once. */
export type Intent = {
  id: string
  /** Whatever the merchant calls it. */
  ref: string
  paise: number
  unit: string
  /** Opens the dialog of this intent, in the buyer's browser. */
  token: string
  madeAt: Date
}

export type Charge = {
  id: string
  intentId: string
  /** With the fee. */
  paise: number
  feePaise: number
  unit: string
  state: 'declined' | 'held' | 'taken' | 'lapsed'
  /** Why a declined one was. */
  why: string | null
  madeAt: Date
  heldAt: Date | null
  takenAt: Date | null
}

/** Money on its way back: queued until the bank has sent it, or has not. */
export type Return = {
  id: string
  chargeId: string
  paise: number
  state: 'queued' | 'sent' | 'bounced'
  tag: string | null
  madeAt: Date
}

export type Claim = {
  id: string
  chargeId: string
  paise: number
  state: 'filed' | 'examined' | 'rejected' | 'upheld' | 'dropped'
  madeAt: Date
}

/** What an event is about, as it was at that moment. */
export type About = { charge: Charge } | { return: Return } | { claim: Claim } | { payout: string }

export type Settings = {
  /** What the bank does with a return: it waits for `settleReturn`, or is sent or bounced at once. */
  returns: 'queued' | 'sent' | 'bounced'
  /** What returns are paid from; null is bottomless. */
  purse: number | null
  /** How long something new stays out of the lists. */
  listLagMs: number
}

/** One merchant's account: all that the company remembers. */
export type Account = {
  id: string
  now: () => Date
  settings: Settings
  intents: Map<string, Intent>
  charges: Map<string, Charge>
  returns: Map<string, Return>
  claims: Map<string, Claim>
  /** What was asked under a key, and what came of it; forgotten after a day. */
  once: Map<string, { request: string; id: string; at: Date }>
  tell: (kind: string, about: About) => void
}

export function openAccount(now: () => Date): Account {
  return {
    id: newId('mm'),
    now,
    settings: { returns: 'queued', purse: null, listLagMs: 0 },
    intents: new Map(),
    charges: new Map(),
    returns: new Map(),
    claims: new Map(),
    once: new Map(),
    tell: () => undefined,
  }
}

export function newId(prefix: 'mi' | 'mp' | 'mr' | 'mc' | 'mm' | 'me'): string {
  return `${prefix}_${randomUUID()}`
}

export function newToken(): string {
  return randomBytes(24).toString('base64url')
}

/** How the company says no. */
export class Denial extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string) {
    super(code)
    this.status = status
    this.code = code
  }
}

export function requireRow<T>(rows: ReadonlyMap<string, T>, id: string): T {
  const row = rows.get(id)
  if (!row) throw new Denial(404, 'no_such_thing')
  return row
}

const ONCE_MS = 24 * 60 * 60_000

/** Under one key the same thing is done once, for a day; something else is denied. */
export function once<T>(
  account: Account,
  { key, request, rows }: { key: string; request: string; rows: ReadonlyMap<string, T> },
  make: () => T & { id: string },
): T {
  const known = account.once.get(key)
  if (known && account.now().getTime() - known.at.getTime() < ONCE_MS) {
    if (known.request !== request) throw new Denial(409, 'key_used_otherwise')
    return requireRow(rows, known.id)
  }
  const made = make()
  account.once.set(key, { request, id: made.id, at: account.now() })
  return made
}
