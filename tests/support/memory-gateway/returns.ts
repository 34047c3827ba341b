import { Denial, newId, once, requireRow } from './model.ts'
import type { Account, Claim, Return } from './model.ts'

const RETURNABLE_MS = 120 * 24 * 60 * 60_000

export type NewReturn = { chargeId: string; paise: number; tag: string | null; key: string | null }

/** Begins as queued whatever becomes of it. */
export function makeReturn(account: Account, { key, ...asked }: NewReturn): Return {
  const make = () => {
    requireReturnable(account, asked)
    const made: Return = { id: newId('mr'), ...asked, state: 'queued', madeAt: account.now() }
    account.returns.set(made.id, made)
    movePurse(account, -made.paise)
    account.tell('return.queued', { return: made })
    const answer = { ...made }
    if (account.settings.returns !== 'queued')
      settleReturn(account, made.id, account.settings.returns)
    return answer
  }
  if (key === null) return make()
  if (!/^[\w-]{10,40}$/.test(key)) throw new Denial(422, 'no_such_key')
  return once(account, { key, request: JSON.stringify(asked), rows: account.returns }, make)
}

/** The bank's word on a queued return. */
export function settleReturn(account: Account, id: string, state: 'sent' | 'bounced'): void {
  const made = requireRow(account.returns, id)
  if (made.state !== 'queued') throw new Denial(409, 'settled_already')
  made.state = state
  if (state === 'bounced') movePurse(account, made.paise)
  account.tell(`return.${state}`, { return: made })
}

export function returnsOf(account: Account, chargeId: string): Return[] {
  return [...account.returns.values()].filter((one) => one.chargeId === chargeId).reverse()
}

export const sumOf = (rows: readonly { paise: number }[]) =>
  rows.reduce((sum, { paise }) => sum + paise, 0)

function requireReturnable(account: Account, { chargeId, paise }: Omit<NewReturn, 'key'>): void {
  const charge = requireRow(account.charges, chargeId)
  if (charge.state !== 'taken') throw new Denial(422, 'not_taken')
  if (paise < 1) throw new Denial(422, 'too_little')
  const gone = sumOf(returnsOf(account, chargeId).filter(({ state }) => state !== 'bounced'))
  if (paise > charge.paise - charge.feePaise - gone) throw new Denial(422, 'more_than_left')
  if (account.now().getTime() - charge.madeAt.getTime() > RETURNABLE_MS)
    throw new Denial(422, 'too_old')
  const claims = [...account.claims.values()].filter((one) => one.chargeId === chargeId)
  if (claims.some(isOpen)) throw new Denial(422, 'claimed')
  if (account.settings.purse !== null && account.settings.purse < paise)
    throw new Denial(402, 'purse_empty')
}

function movePurse({ settings }: Account, paise: number): void {
  if (settings.purse !== null) settings.purse += paise
}

/** A buyer's bank wants the money back. */
export function fileClaim(account: Account, chargeId: string, part?: number): Claim {
  const { state, paise: whole } = requireRow(account.charges, chargeId)
  if (state !== 'taken') throw new Denial(422, 'not_taken')
  const paise = part ?? whole
  const claim: Claim = { id: newId('mc'), chargeId, paise, state: 'filed', madeAt: account.now() }
  account.claims.set(claim.id, claim)
  account.tell('claim.filed', { claim })
  return claim
}

export function moveClaim(
  account: Account,
  id: string,
  state: Exclude<Claim['state'], 'filed'>,
): void {
  const claim = requireRow(account.claims, id)
  if (!isOpen(claim)) throw new Denial(409, 'decided_already')
  claim.state = state
  account.tell(`claim.${state}`, { claim })
}

const isOpen = ({ state }: Claim) => state === 'filed' || state === 'examined'
