// An administrator's word on a payment that does not match its order: it is taken for the whole, or sent back. The
// payment's own document decides, in one conditional write, so that of two who decide, and of a decision and a refund
// that begins meanwhile, one is first.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { audit, type Audited } from '../../audit.ts'
import type { Actor } from '../../auth/sessions.ts'
import { requireRecentPassword } from '../../auth/step-up.ts'
import { DomainError, refuseInput } from '../../errors.ts'
import { Id, line } from '../../fields.ts'
import {
  requireOrder,
  showOrderDetails,
  type OrderDetails,
  type OrderDocument,
} from '../../orders/order.ts'
import { noteOrder } from '../../orders/transitions.ts'
import { gatewayOf, type PaymentDeps } from '../deps.ts'
import { leftPaise } from '../record/amounts.ts'
import type { PaymentDocument } from '../record/payments.ts'
import { settingAside } from '../record/unreadable.ts'
import { openAndDriveRefund } from '../refunds/refunds.ts'
import { settlePayment } from './settle-payment.ts'

/** `paymentId` chooses, where more than one payment of the order was set aside. */
export const ReviewDecision = z.object({
  orderId: Id,
  paymentId: z
    .string()
    .regex(/^[\w.:-]{1,100}$/, 'is not a payment id')
    .optional(),
  reason: line(1, 200),
})
export type ReviewDecision = z.infer<typeof ReviewDecision>

type Needs = PaymentDeps & Audited

/**
 * Takes the payment that was set aside for all that its order costs, and fulfills that. Throws PASSWORD_NEEDED,
 * NOT_FOUND, NOT_IN_REVIEW, INVALID_INPUT (several payments, another currency), CHANGED_MEANWHILE and GatewayFailure.
 */
export async function acceptReview(
  deps: Needs,
  actor: Actor,
  input: ReviewDecision,
): Promise<OrderDetails> {
  requireRecentPassword(deps, actor)
  const { reason } = input
  const { order, payment } = await requireReviewed(deps, input)
  // The books add up in the order's currency.
  if (payment.currency !== order.currency)
    refuseInput('paymentId', `was paid in ${payment.currency}: it can only be sent back`)
  if (
    payment.reservedPaise > 0 ||
    !(await decide(deps, actor, { payment, decision: 'accepted', reason }))
  )
    throw new DomainError('CHANGED_MEANWHILE')
  await noteDecision(deps, actor, { order, payment, decision: 'accepted', reason })
  const { gatewayPaymentId: id } = payment
  await settingAside(deps, order._id, async () =>
    settlePayment(deps, await gatewayOf(deps, payment).fetchPayment(id), { source: 'poll' }),
  )
  return showOrderDetails(deps, order._id)
}

/**
 * Gives back all that is left of the payment that was set aside; the review ends when it has gone. Again, it goes on
 * with the same refund. Throws what accepting does, and what a refund does.
 */
export async function returnReview(
  deps: Needs,
  actor: Actor,
  input: ReviewDecision,
): Promise<OrderDetails> {
  requireRecentPassword(deps, actor)
  const { reason } = input
  const { order, payment } = await requireReviewed(deps, input)
  const isDecided = payment.review?.decision === 'returned'
  if (!isDecided && !(await decide(deps, actor, { payment, decision: 'returned', reason })))
    throw new DomainError('CHANGED_MEANWHILE')
  if (!isDecided) await noteDecision(deps, actor, { order, payment, decision: 'returned', reason })
  const { gatewayPaymentId: paymentId, gateway, currency } = payment
  const key = await keyOf(deps, payment)
  const opened = await deps.db.orm.refunds.where({ key }).first()
  if (opened) return showOrderDetails(deps, order._id)
  try {
    await openAndDriveRefund(deps, payment, {
      ...{ key, gateway, orderId: order._id, paymentId, currency, lineNos: [], cause: 'review' },
      ...{ amountPaise: leftPaise(payment), reason, requestedBy: actor.id },
    })
  } catch (error) {
    // Nothing was begun, so nothing is decided: a bank may still be thinking about it.
    if (error instanceof DomainError && !(await deps.db.orm.refunds.where({ key }).first()))
      await deps.db.orm.payments.where({ _id: payment._id }).update({ review: null })
    throw error
  }
  return showOrderDetails(deps, order._id)
}

async function requireReviewed(
  deps: Needs,
  { orderId, paymentId }: ReviewDecision,
): Promise<{ order: OrderDocument; payment: PaymentDocument }> {
  const order = await requireOrder(deps, orderId)
  if (order.status !== 'REVIEW') throw new DomainError('NOT_IN_REVIEW')
  const aside = await deps.db.orm.payments
    .where({ orderId })
    // One that is on its way back reads as refunded already.
    .where(MongoFieldFilter.in('status', ['captured', 'refunded']))
    .where(MongoFieldFilter.gte('quarantine', ''))
    .all()
  const named = aside.filter((one) => one.gatewayPaymentId === (paymentId ?? one.gatewayPaymentId))
  if (named.length > 1) refuseInput('paymentId', 'must say which of the payments is meant')
  const [payment] = named
  if (!payment) throw new DomainError(paymentId === undefined ? 'NOT_IN_REVIEW' : 'NOT_FOUND')
  return { order, payment }
}

type Decision = 'accepted' | 'returned'

async function decide(
  { db, now }: Needs,
  { id: by }: Actor,
  { payment: { gatewayPaymentId, amountPaise }, decision, reason }: Omit<Decided, 'order'>,
): Promise<boolean> {
  const at = now()
  const isFree = decision === 'accepted' && {
    reservedPaise: 0,
    lostPaise: null,
    quarantine: { $gte: '' },
  }
  const { modifiedCount } = await db.driver.collection('payments').updateOne(
    { gatewayPaymentId, status: 'captured', amountPaise, review: null, ...isFree },
    {
      $set: {
        review: { decision, by, reason, at, amountPaise },
        updatedAt: at,
        ...(decision === 'accepted' && { quarantine: null }),
      },
    },
  )
  return modifiedCount === 1
}

type Decided = {
  order: OrderDocument
  payment: PaymentDocument
  decision: Decision
  reason: string
}

async function noteDecision(
  deps: Needs,
  actor: Actor,
  { order, payment, decision, reason }: Decided,
): Promise<void> {
  const { gatewayPaymentId: paymentId, amountPaise } = payment
  await audit(deps, {
    actor,
    act: `orders.review-${decision}`,
    target: `order:${order._id}`,
    before: { amountPaise: order.amountPaise, reason: order.reviewReason ?? null },
    after: { paymentId, amountPaise, reason },
  })
  await noteOrder(deps, order._id, {
    event: `payment ${decision}`,
    detail: `${paymentId}: ${reason}`,
  })
}

/** One refund for a decision; one that failed leaves it to be decided anew. */
async function keyOf({ db }: Needs, { _id, gatewayPaymentId }: PaymentDocument): Promise<string> {
  const failed = await db.orm.refunds
    .where({ paymentId: gatewayPaymentId, status: 'FAILED', cause: 'review' })
    .all()
  return `rev-${_id}${failed.length === 0 ? '' : `-${failed.length}`}`
}
