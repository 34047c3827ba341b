// What must always hold, computed over the live database. An empty list is the proof; each violation names its
// subject, so that somebody can look.
import { z } from 'zod'
import type { Uses } from '../deps.ts'
import { paidWithoutAccess, accessWithoutPayment } from './invariants-access.ts'
import { invoicesInRow, linesThatAddUp, paidByNobody, receiptsSent } from './invariants-books.ts'
import { couponsWithinLimits } from './invariants-coupons.ts'
import { onceOnly, statesThatFit } from './invariants-effects.ts'
import { refundsWithinCaptured, moneyAccountedFor } from './invariants-money.ts'

export type Violation = { invariant: string; subject: string; detail: string }

export type Watch = Uses<'db' | 'now'>

export const InvariantsQuery = z.object({
  /** How long, in seconds, what was just paid may still be on its way. */
  graceSeconds: z.int().min(0).max(3_600).default(60),
})
export type InvariantsQuery = z.infer<typeof InvariantsQuery>

export async function findViolations(
  deps: Watch,
  { graceSeconds }: InvariantsQuery,
): Promise<Violation[]> {
  const before = new Date(deps.now().getTime() - graceSeconds * 1000)
  const found = await Promise.all([
    paidWithoutAccess(deps, before),
    accessWithoutPayment(deps),
    refundsWithinCaptured(deps),
    moneyAccountedFor(deps, before),
    statesThatFit(deps),
    onceOnly(deps),
    couponsWithinLimits(deps),
    linesThatAddUp(deps),
    receiptsSent(deps),
    invoicesInRow(deps),
    paidByNobody(deps),
  ])
  return found.flat()
}
