import { z } from 'zod'
import { audit, type Audited } from '../../audit.ts'
import type { Actor } from '../../auth/sessions.ts'
import { requireRecentPassword } from '../../auth/step-up.ts'
import { findCourse, type CourseDocument } from '../../courses/course.ts'
import type { Uses } from '../../deps.ts'
import { DAY_MS } from '../../durations.ts'
import { DomainError } from '../../errors.ts'
import { Id } from '../../fields.ts'
import { percentConsumed } from '../../learning/progress/consumption.ts'
import { linesOf, requireOwnOrder, type OrderDocument } from '../../orders/order.ts'
import type { Refund } from '../../orders/refunded.ts'
import { leftPaise } from '../record/amounts.ts'
import { findPayment } from '../record/payments.ts'
import { openAndDriveRefund } from './refunds.ts'

export const OwnRefundRequest = z.object({ orderId: Id, courseId: Id })
export type OwnRefundRequest = z.infer<typeof OwnRefundRequest>

/**
 * Gives a buyer the money for one course back, within that course's policy. Throws PASSWORD_NEEDED, NOT_FOUND,
 * NOTHING_TO_REFUND, REFUND_WINDOW_OVER, REFUND_TOO_MUCH_WATCHED, REFUND_DISPUTED and REFUND_REFUSED.
 */
export async function requestRefund(
  deps: Audited & Uses<'gateways' | 'log'>,
  actor: Actor,
  { orderId, courseId }: OwnRefundRequest,
): Promise<Refund> {
  requireRecentPassword(deps, actor)
  const order = await requireOwnOrder(deps, actor, orderId)
  const line = linesOf(order).find((one) => one.courseId === courseId)
  const course = line && (await findCourse(deps.db, { _id: courseId }))
  if (!course) throw new DomainError('NOT_FOUND')
  if (!order.paymentId || line.amountPaise === 0) throw new DomainError('NOTHING_TO_REFUND')
  requireInTime(deps, order, course)
  await requireLittleConsumed(deps, actor, course)
  const payment = await findPayment(deps, order.paymentId)
  if (!payment) throw new DomainError('NOTHING_TO_REFUND')
  const left = leftPaise(payment)
  await audit(deps, {
    actor,
    act: 'refunds.requested',
    target: `order:${order._id}`,
    after: { paymentId: order.paymentId, courseId, lines: [line.no] },
  })
  return openAndDriveRefund(deps, payment, {
    key: await keyOf(deps, order._id, line.no),
    gateway: payment.gateway,
    orderId: order._id,
    paymentId: order.paymentId,
    // A part may have been given back by hand already.
    amountPaise: Math.min(line.amountPaise, left),
    currency: order.currency,
    lineNos: [line.no],
    cause: 'student',
    reason: 'asked for by the buyer',
    requestedBy: actor.id,
  })
}

/** Above a share of a course, or with its certificate, a buyer has had what was paid for. */
async function requireLittleConsumed(
  { db }: Uses<'db'>,
  { id: userId }: Actor,
  course: CourseDocument,
): Promise<void> {
  const [percent, certificate] = await Promise.all([
    percentConsumed({ db }, userId, course),
    db.orm.certificates.where({ userId, courseId: course._id }).select('_id').first(),
  ])
  if (percent > course.refundMaxPercent || certificate)
    throw new DomainError('REFUND_TOO_MUCH_WATCHED')
}

/** One refund for a line, until it has failed. */
async function keyOf({ db }: Uses<'db'>, orderId: string, lineNo: number): Promise<string> {
  const failed = await db.orm.refunds.where({ orderId, status: 'FAILED', cause: 'student' }).all()
  const tries = failed.filter(({ lineNos }) => lineNos.includes(String(lineNo))).length
  return `own-${orderId}-${lineNo}${tries === 0 ? '' : `-${tries}`}`
}

function requireInTime({ now }: Uses<'now'>, order: OrderDocument, course: CourseDocument): void {
  const since = now().getTime() - (order.paidAt?.getTime() ?? 0)
  if (since > course.refundDays * DAY_MS) throw new DomainError('REFUND_WINDOW_OVER')
}
