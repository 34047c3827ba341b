// Brings a refund from the intent to its end at the gateway: REQUESTED → PENDING → PROCESSED or FAILED. Each round
// is claimed by a conditional write, and an unknown outcome is looked up before anything is asked again.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import type { Uses } from '../../deps.ts'
import { MINUTE_MS, SECOND_MS } from '../../durations.ts'
import { GatewayFailure } from '../../gateways/gateway-failure.ts'
import type { GatewayRefund } from '../../gateways/payments.ts'
import type { Keep } from '../../lease.ts'
import { sumOf } from '../../money.ts'
import type { RefundDocument } from '../../orders/refunded.ts'
import { attemptNow, workOff, type WorkQueue } from '../../work-queue.ts'
import { gatewayOf, type RefundDeps } from '../deps.ts'
import { leftPaise } from '../record/amounts.ts'
import { findPayment } from '../record/payments.ts'
import { setAsideAll } from '../record/unreadable.ts'
import { alignAccess } from '../settlement/line-access.ts'
import { adoptRefund, closeRefund, noteRefund, concludeRefund } from './outcome.ts'
import { wasOpenedMeanwhile } from './refund-terms.ts'
import { reserveRefund } from './reservation.ts'

// Longer than an attempt may take, so that nobody else begins the same one.
const CLAIM_MS = MINUTE_MS
const BACKOFF = { firstMs: 5 * SECOND_MS, longestMs: 15 * MINUTE_MS }
const POLL_MS = 10 * MINUTE_MS
const LISTS_LAG_MS = 10 * MINUTE_MS
const PER_RUN = 100

export const MORE_THAN_LEFT = 'more than is left of the payment'
export const OPENED_MEANWHILE = 'too much of the course was opened meanwhile'

/** One attempt at a refund, if nobody else is at it. It never throws for what the gateway does. */
export async function driveRefund(deps: RefundDeps, id: string): Promise<void> {
  await attemptNow(deps, openRefunds(deps), id)
}

/** Goes on with every refund that is due. */
export async function driveDueRefunds(deps: RefundDeps, keep: Keep): Promise<void> {
  await workOff(deps, openRefunds(deps), { perRun: PER_RUN, keep })
}

function openRefunds(deps: RefundDeps): WorkQueue<RefundDocument> {
  return {
    open: deps.db.orm.refunds.where(MongoFieldFilter.isNull('settledAt')),
    isAsRead: ({ status }) => MongoFieldFilter.eq('status', status),
    claimMs: CLAIM_MS,
    backoff: BACKOFF,
    attempt: async (refund) => {
      if (refund.status === 'REQUESTED') await submit(deps, refund)
      else if (refund.status === 'PENDING') await poll(deps, refund)
      else await concludeRefund(deps, refund)
    },
    failed: async (refund, failure, nextAt) => {
      if (!(failure instanceof GatewayFailure)) throw failure
      const error = refund.status === 'REQUESTED' ? failure.description : failure.message
      await postpone(deps, refund, { error, nextAt })
    },
  }
}

async function submit(deps: RefundDeps, refund: RefundDocument): Promise<void> {
  if (!(await reserveRefund(deps, refund))) {
    await closeRefund(deps, refund, MORE_THAN_LEFT)
    return
  }
  const gateway = gatewayOf(deps, refund)
  const isRepeat = refund.attempts > 1
  const found = isRepeat ? await findMade(deps, refund) : null
  if (found) return adoptRefund(deps, found)
  if (await isLost(deps, refund)) {
    await closeRefund(deps, refund, 'the bank gave the money back: the dispute was lost')
    return
  }
  if (refund.orderId) await alignAccess(deps, refund.orderId)
  // Later rounds come after one in which the gateway may have been asked.
  if (refund.attempts === 1 && (await wasOpenedMeanwhile(deps, refund))) {
    await closeRefund(deps, refund, OPENED_MEANWHILE)
    return
  }
  const { paymentId, amountPaise, key } = refund
  const notes = { order: refund.orderId ?? '', cause: refund.cause }
  try {
    await adoptRefund(deps, await gateway.refundPayment({ paymentId, amountPaise, key, notes }))
  } catch (failure) {
    if (!(failure instanceof GatewayFailure) || !failure.isFinal) throw failure
    await acceptRefusal(deps, refund, failure)
  }
}

/** So much may have been lost while the refund waited for something else that it is covered no more. */
async function isLost(deps: Uses<'db'>, { paymentId }: RefundDocument): Promise<boolean> {
  const payment = await findPayment(deps, paymentId)
  return payment !== null && (payment.lostPaise ?? 0) > 0 && leftPaise(payment) < 0
}

/** A refusal is final only when no earlier round, of which we heard nothing, can have gone through. */
async function acceptRefusal(
  deps: RefundDeps,
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
  const isMoreGone = payment.amountRefundedPaise > sumOf(ours)
  // The gateway's list may lag behind by minutes. Its payment does not, but need not count what is on its way.
  const isYoung = deps.now().getTime() - refund.createdAt.getTime() < LISTS_LAG_MS
  const mayBeMade = refund.attempts > 1 && isYoung
  if ((isMoreGone || mayBeMade) && refund.attempts < 10) {
    await adoptRefunds(deps, refund)
    throw failure
  }
  await closeRefund(deps, refund, failure.description)
}

async function findMade(
  deps: Uses<'gateways'>,
  refund: RefundDocument,
): Promise<GatewayRefund | null> {
  const theirs = await gatewayOf(deps, refund).refundsOfPayment(refund.paymentId)
  return theirs.items.find(({ key }) => key === refund.key) ?? null
}

async function poll(deps: RefundDeps, refund: RefundDocument): Promise<void> {
  if (!refund.gatewayRefundId) return
  await adoptRefund(deps, await gatewayOf(deps, refund).fetchRefund(refund.gatewayRefundId))
  await deps.db.orm.refunds
    .where({ _id: refund._id, status: 'PENDING' })
    .update({ nextAt: new Date(deps.now().getTime() + POLL_MS), error: null })
}

/** Takes over every refund of a payment that the gateway knows, those made in its dashboard too. */
export async function adoptRefunds(
  deps: RefundDeps,
  payment: { gateway: string; paymentId: string },
): Promise<void> {
  const all = await gatewayOf(deps, payment).refundsOfPayment(payment.paymentId)
  await setAsideAll(deps, all.unreadable)
  for (const theirs of all.items) await adoptRefund(deps, theirs)
}

async function postpone(
  { db, now }: Uses<'db' | 'now'>,
  refund: RefundDocument,
  { error, nextAt }: { error: string; nextAt: Date },
): Promise<void> {
  await db.orm.refunds
    .where({ _id: refund._id, status: refund.status })
    .update({ nextAt, error: error.slice(0, 200), updatedAt: now() })
  if (refund.attempts === 1 && refund.orderId)
    await noteRefund({ db, now }, refund, `put off: ${error}`)
}
