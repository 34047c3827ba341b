// How the company writes things down: amounts as decimal text, currencies in small letters, times in ISO
// 8601.
import { returnsOf, sumOf } from './returns.ts'
import type { About, Account, Charge, Claim, Intent, Return } from './model.ts'

const price = (paise: number, unit: string) => ({
  value: `${Math.floor(paise / 100)}.${String(paise % 100).padStart(2, '0')}`,
  unit,
})

export const showIntent = ({ id, ref, paise, unit, token, madeAt }: Intent) => ({
  id,
  ref,
  price: price(paise, unit),
  token,
  made_at: madeAt.toISOString(),
})

/** What is only queued to go back is not counted as returned. */
export const showCharge = (account: Account, charge: Charge) => ({
  id: charge.id,
  intent: charge.intentId,
  price: price(charge.paise, charge.unit),
  returned: price(
    sumOf(returnsOf(account, charge.id).filter(({ state }) => state === 'sent')),
    charge.unit,
  ),
  ...(charge.feePaise > 0 && { fee: price(charge.feePaise, charge.unit) }),
  state: charge.state,
  ...(charge.why !== null && { why: charge.why }),
  made_at: charge.madeAt.toISOString(),
  ...(charge.takenAt && { taken_at: charge.takenAt.toISOString() }),
})

export const showReturn = (account: Account, one: Return) => ({
  id: one.id,
  charge: one.chargeId,
  price: price(one.paise, unitOf(account, one)),
  state: one.state,
  ...(one.tag !== null && { tag: one.tag }),
  made_at: one.madeAt.toISOString(),
})

export const showClaim = (account: Account, one: Claim) => ({
  id: one.id,
  charge: one.chargeId,
  price: price(one.paise, unitOf(account, one)),
  state: one.state,
  made_at: one.madeAt.toISOString(),
})

function unitOf(account: Account, { chargeId }: { chargeId: string }): string {
  return account.charges.get(chargeId)?.unit ?? 'inr'
}

export function showAbout(account: Account, about: About): Record<string, unknown> {
  if ('charge' in about) return { charge: showCharge(account, about.charge) }
  if ('return' in about) return { return: showReturn(account, about.return) }
  if ('claim' in about) return { claim: showClaim(account, about.claim) }
  return about
}
