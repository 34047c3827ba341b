// What the gateway says of a refund, ours or one made in its dashboard, and what follows: access, the reservation,
// the buyer's mail. PROCESSED may still turn into FAILED, nothing comes back from FAILED.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { isDuplicateKey } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import type { GatewayRefund } from '../../gateways/payments.ts'
import { cancelCreditNote, issueCreditNote } from '../../invoices/credit-notes.ts'
import { closeReview } from '../../orders/expiry.ts'
import type { RefundDocument, RefundStatus } from '../../orders/refunded.ts'
import { noteOrder } from '../../orders/transitions.ts'
import type { RefundDeps } from '../deps.ts'
import { withinReason } from '../record/gateway-time.ts'
import { alignPayment } from '../record/payment-status.ts'
import { quarantine, findPayment } from '../record/payments.ts'
import { alignAccess } from '../settlement/line-access.ts'
import { mailRefund } from '../settlement/order-mails.ts'
import { releaseReservation, reserveMadeRefund } from './reservation.ts'

const FORWARD: RefundStatus[] = ['REQUESTED', 'PENDING', 'PROCESSED', 'FAILED']

/** Takes in a refund as the gateway has it. The payment must be recorded already. */
export async function adoptRefund(deps: RefundDeps, theirs: GatewayRefund): Promise<void> {
  const refund = (await findRefund(deps, theirs)) ?? (await linkOwnRefund(deps, theirs))
  const known = refund ?? (await insertDashboardRefund(deps, theirs))
  const status = STATUS[theirs.status]
  const moved = await deps.db.orm.refunds
    .where({ _id: known._id })
    .where(MongoFieldFilter.in('status', FORWARD.slice(0, FORWARD.indexOf(status))))
    .update({ status, error: null, settledAt: null, nextAt: deps.now(), updatedAt: deps.now() })
  if (moved) await noteRefund(deps, moved, status.toLowerCase())
  const current = moved ?? known
  if (!current.settledAt) await concludeRefund(deps, current)
  // An old event of a refund that failed since says, once more, that its payment is refunded.
  else await alignPayment(deps, theirs.paymentId)
}

const STATUS = { pending: 'PENDING', processed: 'PROCESSED', failed: 'FAILED' } as const

function findRefund({ db }: Uses<'db'>, { id }: GatewayRefund): Promise<RefundDocument | null> {
  return db.orm.refunds.where({ gatewayRefundId: id }).first()
}

/** Ours whose answer was lost: it carries our key. What was given up as refused is not revived. */
async function linkOwnRefund(
  { db, now }: Uses<'db' | 'now'>,
  theirs: GatewayRefund,
): Promise<RefundDocument | null> {
  if (theirs.key === null) return null
  const { gateway, paymentId, amountPaise } = theirs
  return db.orm.refunds
    .where({ key: theirs.key, gateway, paymentId, amountPaise, status: 'REQUESTED' })
    .where(MongoFieldFilter.isNull('gatewayRefundId'))
    .update({ gatewayRefundId: theirs.id, status: 'PENDING', updatedAt: now() })
}

/** A refund that nobody asked us for. */
async function insertDashboardRefund(
  deps: Uses<'db' | 'now'>,
  theirs: GatewayRefund,
): Promise<RefundDocument> {
  const at = deps.now()
  const payment = await findPayment(deps, theirs.paymentId)
  try {
    return await deps.db.orm.refunds.create({
      key: `${theirs.gateway}-${theirs.id}`,
      intent: null,
      gateway: theirs.gateway,
      orderId: payment?.orderId ?? null,
      paymentId: theirs.paymentId,
      gatewayRefundId: theirs.id,
      amountPaise: theirs.amountPaise,
      currency: theirs.currency,
      lineNos: [],
      status: 'PENDING',
      cause: 'dashboard',
      reason: null,
      requestedBy: null,
      attempts: 0,
      nextAt: at,
      error: null,
      settledAt: null,
      createdAt: withinReason(deps, theirs.createdAt, payment?.madeAt ?? null),
      updatedAt: at,
    })
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
  }
  const known = await findRefund(deps, theirs)
  if (!known) throw new Error(`refund ${theirs.id} is gone`)
  return known
}

/** Gives up a refund that the gateway refused: nothing was given back. */
export async function closeRefund(
  deps: RefundDeps,
  refund: RefundDocument,
  error: string,
): Promise<void> {
  const closed = await deps.db.orm.refunds
    .where({ _id: refund._id, status: 'REQUESTED' })
    .where(MongoFieldFilter.isNull('gatewayRefundId'))
    .update({ status: 'FAILED', error: error.slice(0, 200), updatedAt: deps.now() })
  if (!closed) return
  await noteRefund(deps, closed, `failed: ${error}`)
  await concludeRefund(deps, closed)
}

/** What follows from a refund's state. At an end it is marked as settled, last of all. */
export async function concludeRefund(deps: RefundDeps, refund: RefundDocument): Promise<void> {
  if (refund.status === 'FAILED') {
    await cancelCreditNote(deps, refund)
    await releaseReservation(deps, refund)
  } else if (refund.gatewayRefundId) await reserveMadeRefund(deps, refund)
  if (refund.gatewayRefundId) await alignPayment(deps, refund.paymentId)
  if (refund.orderId) await alignAccess(deps, refund.orderId)
  if (refund.status !== 'PROCESSED' && refund.status !== 'FAILED') return
  if (refund.status === 'PROCESSED') {
    await issueCreditNote(deps, refund)
    await mailRefund(deps, refund)
    if (refund.orderId) await closeReview(deps, refund.orderId)
  }
  // Money that bought nothing and could not be given back is somebody's to decide about.
  else if (isOfNothing(refund)) await quarantine(deps, refund.paymentId, 'its refund failed')
  // Whether it is sent back is to be decided anew.
  else if (refund.cause === 'review')
    await deps.db.orm.payments
      .where({ gatewayPaymentId: refund.paymentId })
      .update({ review: null })
  await deps.db.orm.refunds
    .where({ _id: refund._id, status: refund.status })
    .update({ settledAt: deps.now() })
}

/** Of a whole payment: a second one, or one that came too late. */
function isOfNothing({ cause, lineNos }: RefundDocument): boolean {
  return cause === 'late' || (cause === 'duplicate' && lineNos.length === 0)
}

/** Writes into the order's timeline what became of a refund; `what` is `event` or `event: why`. */
export async function noteRefund(
  deps: Uses<'db' | 'now'>,
  refund: RefundDocument,
  what: string,
): Promise<void> {
  if (!refund.orderId) return
  const event = `refund ${what.split(':', 1)[0] ?? ''}`
  await noteOrder(deps, refund.orderId, {
    event,
    detail: `${refund.key}, ${refund.amountPaise} paise${what.includes(':') ? what.slice(what.indexOf(':')) : ''}`,
  })
}
