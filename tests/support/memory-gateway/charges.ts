import { Denial, newId, newToken, once, requireRow } from './model.ts'
import type { Account, Charge, Intent } from './model.ts'

const LEAST: Record<string, number> = { inr: 50, eur: 30 }
const LAPSES_AFTER_MS = 3 * 24 * 60 * 60_000

export type NewIntent = { ref: string; paise: number; unit: string; key: string }

export function makeIntent(account: Account, { key, ...asked }: NewIntent): Intent {
  const least = LEAST[asked.unit]
  if (least === undefined) throw new Denial(422, 'unit_not_taken')
  if (asked.paise < least) throw new Denial(422, 'too_little')
  const request = JSON.stringify(asked)
  return once(account, { key, request, rows: account.intents }, () => {
    const intent = { id: newId('mi'), ...asked, token: newToken(), madeAt: account.now() }
    account.intents.set(intent.id, intent)
    return intent
  })
}

/** Newest first. */
export function chargesOf(account: Account, intentId: string): Charge[] {
  requireRow(account.intents, intentId)
  return [...account.charges.values()].filter((one) => one.intentId === intentId).reverse()
}

export type Payment = {
  /** `late` looks like `declined`, and the bank changes its mind. `double` holds the money twice. */
  outcome?: 'held' | 'declined' | 'double'
  paise?: number
  /** What the company takes of its buyer, on top. */
  feePaise?: number
  unit?: string
  /** Although the intent has a charge that stands. */
  force?: boolean
}

/** The buyer in the dialog. Nothing comes back to the browser: it has to ask its own server. */
export function pay(account: Account, intentId: string, payment: Payment = {}): Charge {
  const intent = requireRow(account.intents, intentId)
  const { outcome = 'held', unit = intent.unit, force = false, feePaise = 0 } = payment
  const paise = (payment.paise ?? intent.paise) + feePaise
  if (stands(account, intentId) && !force) throw new Denial(409, 'paid_already')
  const charge: Charge = {
    id: newId('mp'),
    intentId,
    paise,
    feePaise,
    unit,
    state: 'declined',
    why: 'changed_their_mind',
    madeAt: account.now(),
    heldAt: null,
    takenAt: null,
  }
  account.charges.set(charge.id, charge)
  if (outcome === 'declined') account.tell('charge.declined', { charge })
  else hold(account, charge)
  return outcome === 'double'
    ? pay(account, intentId, { ...payment, outcome: 'held', force: true })
    : charge
}

/** The bank says after all that the money is there; where another charge stands by now, it lets go of it. */
export function holdLate(account: Account, chargeId: string): void {
  const charge = requireRow(account.charges, chargeId)
  if (charge.state !== 'declined') throw new Denial(409, 'not_declined')
  const isTooLate = stands(account, charge.intentId)
  hold(account, charge)
  if (isTooLate) lapse(account, charge)
}

function hold(account: Account, charge: Charge): void {
  Object.assign(charge, {
    state: 'held',
    why: null,
    heldAt: account.now(),
  } satisfies Partial<Charge>)
  account.tell('charge.held', { charge })
}

/** The merchant asks for what is held, all of it. */
export function take(account: Account, chargeId: string): Charge {
  const charge = requireRow(account.charges, chargeId)
  if (charge.state === 'taken') throw new Denial(409, 'taken_already')
  if (charge.state !== 'held') throw new Denial(422, 'not_held')
  Object.assign(charge, { state: 'taken', takenAt: account.now() } satisfies Partial<Charge>)
  if (account.settings.purse !== null) account.settings.purse += charge.paise
  account.tell('charge.taken', { charge })
  return charge
}

/** What nobody has asked for goes back after some days. */
export function lapseOld(account: Account): void {
  for (const charge of account.charges.values()) {
    const heldFor = account.now().getTime() - (charge.heldAt?.getTime() ?? Infinity)
    if (charge.state === 'held' && heldFor >= LAPSES_AFTER_MS) lapse(account, charge)
  }
}

function lapse(account: Account, charge: Charge): void {
  Object.assign(charge, { state: 'lapsed', why: 'not_asked_for' } satisfies Partial<Charge>)
  account.tell('charge.lapsed', { charge })
}

function stands(account: Account, intentId: string): boolean {
  return chargesOf(account, intentId).some(({ state }) => state === 'held' || state === 'taken')
}
