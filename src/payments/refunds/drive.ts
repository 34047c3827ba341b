// Brings a refund from the intent to its end at the gateway: REQUESTED → PENDING → PROCESSED or FAILED. Each round
// is claimed by a conditional write, and an unknown outcome is looked up before anything is asked again.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { GatewayFailure } from '../../gateways/gateway-failure.ts'
import type { GatewayRefund } from '../../gateways/payments.ts'
import { sumOf } from '../../money.ts'
import type { RefundDocument } from '../../orders/refunded.ts'
import { type PaymentDeps, gatewayOf } from '../deps.ts'
import { alignAccess } from '../settlement/line-access.ts'
import { adoptRefund, closeRefund, noteRefund, concludeRefund } from './outcome.ts'
import { reserveRefund } from './reservation.ts'

// Longer than a round may take, so that nobody else begins the same one.
const ROUND_MS = 60_000
const FIRST_WAIT_MS = 5_000
const LONGEST_WAIT_MS = 15 * 60_000
const POLL_MS = 10 * 60_000
const PER_RUN = 100

export const MORE_THAN_LEFT = 'more than is left of the payment'

/** One round of a refund, if nobody else is at it. It never throws for what the gateway does. */
export async function driveRefund(deps: PaymentDeps, id: string): Promise<void> {
  const refund = await deps.db.orm.refunds.where({ _id: id }).first()
  if (!refund || refund.settledAt) return
  const claimed = await deps.db.orm.refunds
    .where({ _id: id, attempts: refund.attempts, status: refund.status })
    .where(MongoFieldFilter.isNull('settledAt'))
    .update({ attempts: refund.attempts + 1, nextAt: later(deps, ROUND_MS) })
  if (!claimed) return
  try {
    if (claimed.status === 'REQUESTED') await submit(deps, claimed)
    else if (claimed.status === 'PENDING') await poll(deps, claimed)
    else await concludeRefund(deps, claimed)
  } catch (failure) {
    if (!(failure instanceof GatewayFailure)) throw failure
    await postpone(deps, claimed, failure.message)
  }
}

async function submit(deps: PaymentDeps, refund: RefundDocument): Promise<void> {
  if (!(await reserveRefund(deps, refund))) {
    await closeRefund(deps, refund, MORE_THAN_LEFT)
    return
  }
  if (await isLost(deps, refund)) {
    await closeRefund(deps, refund, 'the bank gave the money back: the dispute was lost')
    return
  }
  if (refund.orderId) await alignAccess(deps, refund.orderId)
  const gateway = gatewayOf(deps, refund)
  const isRepeat = refund.attempts > 1
  const found = isRepeat ? await findMade(deps, refund) : null
  if (found) return adoptRefund(deps, found)
  try {
    const { paymentId, amountPaise, key } = refund
    const notes = { order: refund.orderId ?? '', cause: refund.cause }
    const made = await gateway.refundPayment({ paymentId, amountPaise, key, notes })
    await adoptRefund(deps, made)
  } catch (failure) {
    if (!(failure instanceof GatewayFailure)) throw failure
    if (failure.isFinal) await acceptRefusal(deps, refund, failure)
    else await postpone(deps, refund, failure.description)
  }
}

/** It may have been lost while the refund waited for something else. */
async function isLost({ db }: PaymentDeps, { paymentId }: RefundDocument): Promise<boolean> {
  return (await db.orm.disputes.where({ paymentId, status: 'lost' }).first()) !== null
}

/** A refusal is final only when no earlier round, of which we heard nothing, can have gone through. */
async function acceptRefusal(
  deps: PaymentDeps,
  refund: RefundDocument,
  failure: GatewayFailure,
): Promise<void> {
  const found = await findMade(deps, refund)
  if (found) return adoptRefund(deps, found)
  const [payment, known] = await Promise.all([
    gatewayOf(deps, refund).fetchPayment(refund.paymentId),
    deps.db.orm.refunds.where({ paymentId: refund.paymentId }).all(),
  ])
  const ours = known.filter(({ status }) => status === 'PENDING' || status === 'PROCESSED')
  // The gateway's list may lag behind by minutes, its payment does not.
  if (payment.amountRefundedPaise > sumOf(ours) && refund.attempts < 10) {
    await adoptRefunds(deps, refund)
    await postpone(deps, refund, failure.description)
    return
  }
  await closeRefund(deps, refund, failure.description)
}

async function findMade(deps: PaymentDeps, refund: RefundDocument): Promise<GatewayRefund | null> {
  const theirs = await gatewayOf(deps, refund).refundsOfPayment(refund.paymentId)
  return theirs.find(({ key }) => key === refund.key) ?? null
}

async function poll(deps: PaymentDeps, refund: RefundDocument): Promise<void> {
  if (!refund.gatewayRefundId) return
  await adoptRefund(deps, await gatewayOf(deps, refund).fetchRefund(refund.gatewayRefundId))
  await deps.db.orm.refunds
    .where({ _id: refund._id, status: 'PENDING' })
    .update({ nextAt: later(deps, POLL_MS) })
}

/** Takes over every refund of a payment that the gateway knows, those made in its dashboard too. */
export async function adoptRefunds(
  deps: PaymentDeps,
  payment: { gateway: string; paymentId: string },
): Promise<void> {
  const all = await gatewayOf(deps, payment).refundsOfPayment(payment.paymentId)
  for (const theirs of all) await adoptRefund(deps, theirs)
}

async function postpone(deps: PaymentDeps, refund: RefundDocument, error: string): Promise<void> {
  const wait = Math.min(FIRST_WAIT_MS * 2 ** (refund.attempts - 1), LONGEST_WAIT_MS)
  await deps.db.orm.refunds
    .where({ _id: refund._id, status: refund.status })
    .update({ nextAt: later(deps, wait), error: error.slice(0, 200), updatedAt: deps.now() })
  if (refund.attempts === 1 && refund.orderId) await noteRefund(deps, refund, `put off: ${error}`)
}

function later({ now }: PaymentDeps, milliseconds: number): Date {
  return new Date(now().getTime() + milliseconds)
}

/** Goes on with every refund that is due. */
export async function driveDueRefunds(
  deps: PaymentDeps,
  keep: () => Promise<boolean>,
): Promise<void> {
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
