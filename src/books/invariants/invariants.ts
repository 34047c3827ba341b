// What must always hold, computed over the live database. An empty list is the proof; each violation names its
// subject, so that somebody can look.
import { z } from 'zod'
import { accessTakenBack, paidWithoutAccess, accessWithoutPayment } from './access.ts'
import { couponsWithinLimits } from './coupons.ts'
import { onceOnly, statesThatFit } from './effects.ts'
import { paidInTime } from './late.ts'
import { refundsWithinCaptured, moneyAccountedFor } from './money.ts'
import { creditedAsRefunded, numbersInRow, papersThatAddUp } from './papers.ts'
import { linesThatAddUp, paidByNobody, receiptsSent } from './sales.ts'
import { paidWhenItWas } from './times.ts'
import { toldAndRead } from './unread.ts'
import type { Watch, Violation } from './violation.ts'

export const InvariantsQuery = z.object({
  /** How long, in seconds, what was just paid may still be on its way. */
  graceSeconds: z.int().min(0).max(3_600).default(60),
})
export type InvariantsQuery = z.infer<typeof InvariantsQuery>

/** Everything that is wrong in the books now; nothing, when all is well. At most 200 of each kind. */
export async function findViolations(
  deps: Watch,
  { graceSeconds }: InvariantsQuery,
): Promise<Violation[]> {
  const before = new Date(deps.now().getTime() - graceSeconds * 1000)
  const found = await Promise.all([
    paidWithoutAccess(deps, before),
    accessWithoutPayment(deps),
    accessTakenBack(deps),
    refundsWithinCaptured(deps),
    moneyAccountedFor(deps, before),
    statesThatFit(deps),
    onceOnly(deps),
    couponsWithinLimits(deps),
    linesThatAddUp(deps),
    receiptsSent(deps),
    numbersInRow(deps),
    papersThatAddUp(deps),
    creditedAsRefunded(deps, before),
    paidByNobody(deps),
    paidWhenItWas(deps),
    toldAndRead(deps),
    paidInTime(deps),
  ])
  return found.flat()
}
