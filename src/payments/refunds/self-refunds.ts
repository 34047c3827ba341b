import { createHash } from 'node:crypto'
import { z } from 'zod'
import { audit, type Audited } from '../../audit.ts'
import type { Actor } from '../../auth/sessions.ts'
import { requireRecentPassword } from '../../auth/step-up.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import { Id } from '../../fields.ts'
import { refundToldToBuyer } from '../../orders/buyer-words.ts'
import { linesOf, refundUntilOf, requireOwnOrder } from '../../orders/order.ts'
import type { Refund } from '../../orders/refunded.ts'
import { leftPaise } from '../record/amounts.ts'
import { findPayment } from '../record/payments.ts'
import type { NewRefund } from './open.ts'
import { hasHadTooMuch, ownRefundsOf } from './refund-terms.ts'
import { openAndDriveRefund } from './refunds.ts'

export const OwnRefundRequest = z.object({ orderId: Id, courseId: Id })
export type OwnRefundRequest = z.infer<typeof OwnRefundRequest>

// As many may ask at once, in other orders, before one of them sees the others.
const MAX_TRIES = 5

/**
 * Gives a buyer the money for one course back, on the terms it was sold on, and once by default: who has had it back
 * asks the shop. Throws PASSWORD_NEEDED, NOT_FOUND, NOTHING_TO_REFUND, REFUND_WINDOW_OVER, REFUND_TOO_MUCH_WATCHED,
 * NO_SELF_REFUND_LEFT, REFUND_DISPUTED and REFUND_REFUSED.
 */
export async function requestRefund(
  deps: Audited & Uses<'gateways' | 'log' | 'settings'>,
  actor: Actor,
  { orderId, courseId }: OwnRefundRequest,
): Promise<Refund> {
  requireRecentPassword(deps, actor)
  const order = await requireOwnOrder(deps, actor, orderId)
  const line = linesOf(order).find((one) => one.courseId === courseId)
  if (!line) throw new DomainError('NOT_FOUND')
  const until = refundUntilOf(order, line)
  if (!order.paymentId || !until) throw new DomainError('NOTHING_TO_REFUND')
  if (deps.now() > until) throw new DomainError('REFUND_WINDOW_OVER')
  if (await hasHadTooMuch(deps, order, line)) throw new DomainError('REFUND_TOO_MUCH_WATCHED')
  const payment = await findPayment(deps, order.paymentId)
  if (!payment) throw new DomainError('NOTHING_TO_REFUND')
  const left = leftPaise(payment)
  await audit(deps, {
    actor,
    act: 'refunds.requested',
    target: `order:${order._id}`,
    after: { paymentId: order.paymentId, courseId, lines: [line.no] },
  })
  const asked = {
    gateway: payment.gateway,
    orderId: order._id,
    paymentId: order.paymentId,
    // A part may have been given back by hand already.
    amountPaise: Math.min(line.amountPaise, left),
    currency: order.currency,
    lineNos: [line.no],
    cause: 'student' as const,
    reason: 'asked for by the buyer',
    requestedBy: actor.id,
  }
  const refund = await underNextKey(deps, { userId: actor.id, courseId, asked }, (asking) =>
    openAndDriveRefund(deps, payment, asking).catch(inWordsForBuyers),
  )
  return refundToldToBuyer(refund)
}

/** The gateway says why to administrators. */
function inWordsForBuyers(error: unknown): never {
  const isRefused = error instanceof DomainError && error.reason === 'REFUND_REFUSED'
  throw isRefused ? new DomainError('REFUND_REFUSED', { cause: error }) : error
}

type OwnRefund = { userId: string; courseId: string; asked: Omit<NewRefund, 'key'> }

/**
 * The refunds that a buyer asks for of one course, in whichever orders, are numbered by their keys, so that whoever opens
 * one has seen all before it: the limit holds for all who ask at once. Those that failed count for nothing.
 */
async function underNextKey(
  deps: Uses<'db' | 'settings'>,
  { userId, courseId, asked }: OwnRefund,
  open: (refund: NewRefund) => Promise<Refund>,
): Promise<Refund> {
  const digest = createHash('sha256').update(`${userId}:${courseId}`).digest('hex').slice(0, 28)
  for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
    const before = await ownRefundsOf(deps, { userId, courseId })
    const standing = before.filter(({ status }) => status !== 'FAILED')
    const known = standing.find((refund) => refund.orderId === asked.orderId)
    if (!known && standing.length >= deps.settings.selfRefundsPerCourse)
      throw new DomainError('NO_SELF_REFUND_LEFT')
    try {
      return await open({ ...asked, key: known?.key ?? `own-${digest}-${before.length}` })
    } catch (error) {
      const isTaken = error instanceof DomainError && error.reason === 'KEY_REUSED'
      if (!isTaken || known) throw error
    }
  }
  throw new DomainError('CHANGED_MEANWHILE')
}
