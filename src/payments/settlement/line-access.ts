// Which lines of an order give access follows from its refunds and disputes as they stand, computed anew each
// time: no event, however late, can revive what ended.
import type { Uses } from '../../deps.ts'
import { restoreGrant, revokeGrant } from '../../learning/access/grant-changes.ts'
import { addGrant, findGrants, type Grant } from '../../learning/access/grants.ts'
import { sumOf } from '../../money.ts'
import { linesOf, requireOrder, type OrderDocument, type OrderLine } from '../../orders/order.ts'
import { standingRefunds } from '../../orders/refunded.ts'
import { lostPaiseOf, ownPaise } from '../record/amounts.ts'
import { findPayment } from '../record/payments.ts'

const REFUNDED = 'refunded'
const DISPUTE_LOST = 'dispute lost'
/** Grants ended for these reasons come back with the money; those that a person ended do not, whatever the reason. */
export const PAYMENT_REASONS: readonly string[] = [REFUNDED, DISPUTE_LOST]

// Each pass that changed something is followed by another, since a refund may have come meanwhile.
const MAX_PASSES = 6

/** The grant that a line of an order gives: what cost nothing was not paid for, whatever else the order holds. */
export function grantFor(order: OrderDocument, line: OrderLine) {
  return {
    key: grantKeyOf(order._id, line.no),
    kind: line.amountPaise === 0 ? ('FREE' as const) : ('PAID' as const),
    orderId: order._id,
    lineNo: line.no,
  }
}

/** One grant per order and line, however often it is worked on. */
export function grantKeyOf(orderId: string, lineNo: number): string {
  return `order:${orderId}:${lineNo}`
}

/**
 * Line number → why it gives no access (any more). Amounts decide: a refund ends the lines it names; what names none,
 * as a lost dispute, ends all of them together, once nothing of what was paid is left.
 */
export async function endedLines(
  { db }: Uses<'db'>,
  order: OrderDocument,
): Promise<ReadonlyMap<number, string>> {
  if (!order.paymentId) return new Map()
  const [refunds, disputes] = await Promise.all([
    db.orm.refunds.where({ orderId: order._id, paymentId: order.paymentId }).all(),
    db.orm.disputes.where({ paymentId: order.paymentId, status: 'lost' }).all(),
  ])
  // As of nearly every order: then nobody needs to know what was paid.
  if (refunds.length === 0 && disputes.length === 0) return new Map()
  const payment = await findPayment({ db }, order.paymentId)
  const given = standingRefunds(refunds, order.paymentId)
  const lost = lostPaiseOf(disputes, payment ?? order)
  // Less may have been paid, where an administrator took it for the whole.
  const whole = Math.min(order.amountPaise, payment ? ownPaise(payment) : order.amountPaise)
  const isAll = sumOf(given) + lost >= whole
  const refunded = new Set(given.flatMap(({ lineNos }) => lineNos.map(Number)))
  const ended = linesOf(order).filter(({ no }) => isAll || refunded.has(no))
  const reasonOf = (no: number) => (refunded.has(no) || lost === 0 ? REFUNDED : DISPUTE_LOST)
  return new Map(ended.map(({ no }) => [no, reasonOf(no)]))
}

/**
 * Makes the grants of an order what its refunds and disputes say. Missing ones are added only where the
 * fulfillment has decided about them.
 */
export async function alignAccess(deps: Uses<'db' | 'now'>, orderId: string): Promise<void> {
  await alignAccessTo(deps, await requireOrder(deps, orderId))
}

/** The same for an order just read; `mayAdd` is for the fulfillment, which has decided by now. */
export async function alignAccessTo(
  deps: Uses<'db' | 'now'>,
  read: OrderDocument,
  { mayAdd }: { mayAdd: boolean } = { mayAdd: false },
): Promise<void> {
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const order = pass === 0 ? read : await requireOrder(deps, read._id)
    if (order.status !== 'PAID' && order.status !== 'FULFILLED') return
    const ended = await endedLines(deps, order)
    const isAdding = mayAdd || order.status === 'FULFILLED'
    let isChanged = false
    for (const line of linesOf(order)) {
      const reason = ended.get(line.no) ?? null
      if (await alignLine(deps, order, { line, reason, isAdding })) isChanged = true
    }
    if (!isChanged) return
  }
}

type Wanted = { line: OrderLine; reason: string | null; isAdding: boolean }

async function alignLine(
  deps: Uses<'db' | 'now'>,
  order: OrderDocument,
  { line, reason, isAdding }: Wanted,
): Promise<boolean> {
  const whose = { userId: order.userId, courseId: line.courseId }
  const given = grantFor(order, line)
  const stored = (await findGrants(deps, whose)).find(({ key }) => key === given.key)
  if (!stored) {
    return isAdding && reason === null ? addGrant(deps, { ...whose, grant: given }) : false
  }
  const change = { ...whose, key: given.key }
  if (reason !== null) {
    return stored.revokedAt === null && revokeGrant(deps, { ...change, reason })
  }
  return (
    endedWithPayment(stored) && restoreGrant(deps, { ...change, reason: 'money kept after all' })
  )
}

function endedWithPayment({ revokedAt, revokedBy, reason }: Grant): boolean {
  return revokedAt !== null && revokedBy === null && PAYMENT_REASONS.includes(reason ?? '')
}
