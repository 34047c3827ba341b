// What the company answers to a merchant's server: JSON text with a status, or silence.
import { setImmediate } from 'node:timers/promises'
import { chargesOf, makeIntent, take } from './charges.ts'
import type { Fault, Faults } from './faults.ts'
import { Denial, requireRow } from './model.ts'
import type { Account } from './model.ts'
import { makeReturn, returnsOf } from './returns.ts'
import { showCharge, showClaim, showIntent, showReturn } from './shown.ts'

export type Call = {
  route: Route
  /** Of what the route is about. */
  id?: string
  ask?: Ask
}
type Ask = {
  ref?: string
  paise?: number
  unit?: string
  tag?: string
  key?: string
  from?: Date
  to?: Date
  after?: string
}

/** Null where the connection broke. */
export type Answer = { status: number; text: string } | null

export type Api = {
  request: (call: Call) => Promise<Answer>
  /** Every request since the start, oldest first. */
  seen: readonly Call[]
}

export type Route =
  | 'make intent'
  | 'find intents'
  | 'show intent'
  | 'charges of intent'
  | 'show charge'
  | 'take charge'
  | 'make return'
  | 'returns of charge'
  | 'show return'
  | 'show claim'
  | 'list charges'
  | 'list returns'
  | 'list claims'

export function openApi(account: Account, faults: Faults): Api {
  const seen: Call[] = []
  return {
    seen,
    request: async (call) => {
      seen.push(call)
      await setImmediate()
      const fault = faults.take(call.route)
      if (!fault) return answer(account, call)
      if (fault.kind === 'odd') return oddly(answer(account, call))
      if (fault.isDone === true) answer(account, call)
      return misbehave(fault)
    },
  }
}

function answer(account: Account, call: Call): Answer {
  try {
    return { status: 200, text: JSON.stringify(work(account, call)) }
  } catch (error) {
    if (!(error instanceof Denial)) throw error
    return { status: error.status, text: JSON.stringify({ denied: error.code }) }
  }
}

const STATUS = { broken: 502, refusing: 400, nonsense: 200, odd: 200 }
const PAGE = '<html><body>Be right back</body></html>'

function oddly(right: Answer): Answer {
  if (right?.status !== 200) return right
  const shown: unknown = JSON.parse(right.text)
  const rows = (shown as { rows?: unknown[] }).rows ?? (Array.isArray(shown) ? shown : [shown])
  Object.assign(rows[0] ?? {}, { state: 'a word that is new' })
  return { status: 200, text: JSON.stringify(shown) }
}

function misbehave({ kind }: Fault): Answer | Promise<never> {
  if (kind === 'hang') return new Promise(() => undefined)
  if (kind === 'cut') return null
  if (kind === 'busy') return { status: 429, text: JSON.stringify({ denied: 'slow_down' }) }
  return { status: STATUS[kind], text: PAGE }
}

function work(account: Account, { route, id = '', ask = {} }: Call): unknown {
  const { ref = '', paise = 0, unit = '', key = '', tag = null } = ask
  const { intents, charges, returns, claims } = account
  switch (route) {
    case 'make intent':
      return showIntent(makeIntent(account, { ref, paise, unit, key }))
    case 'find intents':
      return listed(account, intents)
        .filter((one) => one.ref === ref)
        .map(showIntent)
    case 'show intent':
      return showIntent(requireRow(intents, id))
    case 'charges of intent':
      return chargesOf(account, id).map((one) => showCharge(account, one))
    case 'show charge':
      return showCharge(account, requireRow(charges, id))
    case 'take charge':
      return showCharge(account, take(account, id))
    case 'make return':
      return showReturn(account, makeReturn(account, { chargeId: id, paise, tag, key }))
    case 'returns of charge':
      requireRow(charges, id)
      return listed(account, new Map(returnsOf(account, id).map((one) => [one.id, one]))).map(
        (one) => showReturn(account, one),
      )
    case 'show return':
      return showReturn(account, requireRow(returns, id))
    case 'show claim':
      return showClaim(account, requireRow(claims, id))
    case 'list charges':
      return page(listed(account, charges), ask, (one) => showCharge(account, one))
    case 'list returns':
      return page(listed(account, returns), ask, (one) => showReturn(account, one))
    case 'list claims':
      return page(listed(account, claims), ask, (one) => showClaim(account, one))
  }
}

function listed<T extends { madeAt: Date }>(account: Account, rows: ReadonlyMap<string, T>): T[] {
  const until = account.now().getTime() - account.settings.listLagMs
  return [...rows.values()].filter(({ madeAt }) => madeAt.getTime() <= until)
}

// Small, so that there is more than one.
const ON_A_PAGE = 5

/** Newest first; `more` names the last that was shown, to go on from. */
function page<T extends { id: string; madeAt: Date }>(
  rows: T[],
  { from, to, after }: Ask,
  show: (row: T) => unknown,
): { rows: unknown[]; more: string | null } {
  const within = rows
    .filter(({ madeAt }) => (!from || madeAt >= from) && (!to || madeAt <= to))
    .reverse()
  const begin = within.findIndex(({ id }) => id === after) + 1
  const shown = within.slice(begin, begin + ON_A_PAGE)
  const isLast = begin + ON_A_PAGE >= within.length
  return { rows: shown.map(show), more: isLast ? null : (shown.at(-1)?.id ?? null) }
}
