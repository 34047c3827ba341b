// What a paid order opens: access, the coupon's use, the invoice, the mails. It may run twice, or at once, or die
// between any two writes, and be begun again.
import { settleUse } from '../../coupons/uses.ts'
import { issueInvoice } from '../../invoices/invoices.ts'
import { addGrantUnlessHeld } from '../../learning/access/grants.ts'
import { linesOf, requireOrder, type OrderDocument } from '../../orders/order.ts'
import { moveOrder, noteOrder } from '../../orders/transitions.ts'
import type { Till } from '../deps.ts'
import { driveRefund } from '../refunds/drive.ts'
import { LEAST_REFUND, openRefund } from '../refunds/open.ts'
import { alignAccess, endedLines, grantFor } from './line-access.ts'
import { mailReceipt } from './order-mails.ts'

/** From PAID to FULFILLED, from wherever an earlier run was stopped. */
export async function fulfill(deps: Till, orderId: string): Promise<void> {
  const order = await requireOrder(deps, orderId)
  if (order.status !== 'PAID') return
  const twins = await grantLines(deps, order)
  await alignAccess(deps, orderId, { mayAdd: true })
  await useCoupon(deps, order)
  await issueInvoice(deps, order)
  await mailReceipt(deps, order)
  await moveOrder(deps, {
    id: orderId,
    from: ['PAID'],
    set: { status: 'FULFILLED', fulfilledAt: deps.now() },
    note: { event: 'fulfilled' },
  })
  for (const refundId of twins) await driveRefund(deps, refundId)
}

async function useCoupon(deps: Till, order: OrderDocument): Promise<void> {
  if (!order.couponCode) return
  const { late } = await settleUse(deps, order._id)
  if (late)
    await noteOrder(deps, order._id, { event: 'coupon used late', detail: order.couponCode })
}

/** Opens each line, or opens the refund of those the buyer holds already, and answers these refunds. */
async function grantLines(deps: Till, order: OrderDocument): Promise<string[]> {
  const ended = await endedLines(deps, order)
  const twins: string[] = []
  for (const line of linesOf(order)) {
    if (ended.has(line.no)) continue
    const whose = { userId: order.userId, courseId: line.courseId }
    if (await addGrantUnlessHeld(deps, { ...whose, grant: grantFor(order, line) })) continue
    // Razorpay gives back no less than a rupee.
    if (!order.paymentId || line.amountPaise < LEAST_REFUND) continue
    const refund = await openRefund(deps, {
      key: `dup-${order._id}-${line.no}`,
      orderId: order._id,
      paymentId: order.paymentId,
      amountPaise: line.amountPaise,
      currency: order.currency,
      lineNos: [line.no],
      cause: 'duplicate',
      reason: 'the buyer had this course already',
    })
    twins.push(refund._id)
  }
  return twins
}
