// Brings a refund from the intent to its end at Razorpay: REQUESTED → PENDING → PROCESSED or FAILED. Each round
// is claimed by a conditional write, and an unknown outcome is looked up before anything is asked again.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { RazorpayFailure } from '../../gateways/razorpay/failure.ts'
import { isFinal } from '../../gateways/razorpay/refusals.ts'
import type { RazorpayRefund } from '../../gateways/razorpay/shapes.ts'
import { sumOf } from '../../money.ts'
import type { RefundDocument } from '../../orders/refunded.ts'
import type { Till } from '../deps.ts'
import { alignAccess } from '../settlement/line-access.ts'
import { adoptRefund, closeRefund, noteRefund, settleRefund } from './outcome.ts'
import { reserve } from './reservation.ts'

// Longer than a round may take, so that nobody else begins the same one.
const ROUND_MS = 60_000
const FIRST_WAIT_MS = 5_000
const LONGEST_WAIT_MS = 15 * 60_000
const POLL_MS = 10 * 60_000
const PER_RUN = 100

export const MORE_THAN_LEFT = 'more than is left of the payment'

/** One round of a refund, if nobody else is at it. It never throws for what Razorpay does. */
export async function driveRefund(deps: Till, id: string): Promise<void> {
  const refund = await deps.db.orm.refunds.where({ _id: id }).first()
  if (!refund || refund.settledAt) return
  const claimed = await deps.db.orm.refunds
    .where({ _id: id, attempts: refund.attempts, status: refund.status })
    .where(MongoFieldFilter.isNull('settledAt'))
    .update({ attempts: refund.attempts + 1, nextAt: later(deps, ROUND_MS) })
  if (!claimed) return
  try {
    if (claimed.status === 'REQUESTED') await ask(deps, claimed)
    else if (claimed.status === 'PENDING') await poll(deps, claimed)
    else await settleRefund(deps, claimed)
  } catch (failure) {
    if (!(failure instanceof RazorpayFailure)) throw failure
    await putOff(deps, claimed, failure.message)
  }
}

async function ask(deps: Till, refund: RefundDocument): Promise<void> {
  if (!(await reserve(deps, refund))) {
    await closeRefund(deps, refund, MORE_THAN_LEFT)
    return
  }
  if (await isLost(deps, refund)) {
    await closeRefund(deps, refund, 'the bank gave the money back: the dispute was lost')
    return
  }
  if (refund.orderId) await alignAccess(deps, refund.orderId)
  const isRepeat = refund.attempts > 1
  const found = isRepeat ? await lookUp(deps, refund) : null
  if (found) return adopt(deps, found)
  try {
    const { paymentId, amountPaise, key } = refund
    const notes = { order: refund.orderId ?? '', cause: refund.cause }
    await adopt(deps, await deps.razorpay.refundPayment({ paymentId, amountPaise, key, notes }))
  } catch (failure) {
    if (!(failure instanceof RazorpayFailure)) throw failure
    if (isFinal(failure)) await believe(deps, refund, failure)
    else await putOff(deps, refund, failure.description)
  }
}

/** It may have been lost while the refund waited for something else. */
async function isLost({ db }: Till, { paymentId }: RefundDocument): Promise<boolean> {
  return (await db.orm.disputes.where({ paymentId, status: 'lost' }).first()) !== null
}

/** A refusal is final only when no earlier round, of which we heard nothing, can have gone through. */
async function believe(
  deps: Till,
  refund: RefundDocument,
  failure: RazorpayFailure,
): Promise<void> {
  const found = await lookUp(deps, refund)
  if (found) return adopt(deps, found)
  const [payment, known] = await Promise.all([
    deps.razorpay.fetchPayment(refund.paymentId),
    deps.db.orm.refunds.where({ paymentId: refund.paymentId }).all(),
  ])
  const ours = known.filter(({ status }) => status === 'PENDING' || status === 'PROCESSED')
  // Razorpay's list lags behind by minutes, its payment does not.
  if (payment.amountRefundedPaise > sumOf(ours) && refund.attempts < 10) {
    await adoptAll(deps, refund.paymentId)
    await putOff(deps, refund, failure.description)
    return
  }
  await closeRefund(deps, refund, failure.description)
}

async function lookUp(deps: Till, { paymentId, key }: RefundDocument) {
  const theirs = await deps.razorpay.refundsOfPayment(paymentId)
  return theirs.find(({ receipt }) => receipt === key) ?? null
}

async function poll(deps: Till, refund: RefundDocument): Promise<void> {
  if (!refund.razorpayRefundId) return
  await adopt(deps, await deps.razorpay.fetchRefund(refund.razorpayRefundId))
  await deps.db.orm.refunds
    .where({ _id: refund._id, status: 'PENDING' })
    .update({ nextAt: later(deps, POLL_MS) })
}

async function adopt(deps: Till, theirs: RazorpayRefund): Promise<void> {
  await adoptRefund(deps, theirs)
}

/** Takes over every refund of a payment that Razorpay knows, those made in its dashboard too. */
export async function adoptAll(deps: Till, paymentId: string): Promise<void> {
  for (const theirs of await deps.razorpay.refundsOfPayment(paymentId)) await adopt(deps, theirs)
}

async function putOff(deps: Till, refund: RefundDocument, error: string): Promise<void> {
  const wait = Math.min(FIRST_WAIT_MS * 2 ** (refund.attempts - 1), LONGEST_WAIT_MS)
  await deps.db.orm.refunds
    .where({ _id: refund._id, status: refund.status })
    .update({ nextAt: later(deps, wait), error: error.slice(0, 200), updatedAt: deps.now() })
  if (refund.attempts === 1 && refund.orderId) await noteRefund(deps, refund, `put off: ${error}`)
}

function later({ now }: Till, milliseconds: number): Date {
  return new Date(now().getTime() + milliseconds)
}

/** Goes on with every refund that is due. */
export async function driveDueRefunds(deps: Till, keep: () => Promise<boolean>): Promise<void> {
  const due = await deps.db.orm.refunds
    .where(MongoFieldFilter.isNull('settledAt'))
    .where(MongoFieldFilter.lte('nextAt', deps.now()))
    .orderBy({ nextAt: 1 })
    .limit(PER_RUN)
    .all()
  for (const refund of due) {
    if (!(await keep())) return
    await driveRefund(deps, refund._id)
  }
}
