// What a paid order opens: access, the coupon's use, the invoice, the mails. It may run twice, or at once, or die
// between any two writes, and be begun again.
import type { UserDocument } from '../../auth/user.ts'
import { redeemUse } from '../../coupons/uses.ts'
import type { Uses } from '../../deps.ts'
import { creditEarlierRefunds } from '../../invoices/credit-notes.ts'
import { issueInvoice } from '../../invoices/invoices.ts'
import { billByProfile } from '../../invoices/late-billing.ts'
import { addGrantUnlessHeld } from '../../learning/access/grants.ts'
import { linesOf, requireOrder, type OrderDocument } from '../../orders/order.ts'
import { transitionOrder, noteOrder } from '../../orders/transitions.ts'
import { type PaymentDeps, gatewayOf } from '../deps.ts'
import { driveRefund } from '../refunds/drive.ts'
import { openRefund, leastRefundOf } from '../refunds/open.ts'
import { findBuyer } from './buyer.ts'
import { endedLines, grantFor, alignAccessTo } from './line-access.ts'
import { mailReceipt } from './order-mails.ts'

/** From PAID to FULFILLED, from wherever an earlier run was stopped. `order` and `buyer` are as just read. */
export async function fulfill(
  deps: PaymentDeps,
  order: OrderDocument,
  buyer: UserDocument | null,
): Promise<void> {
  if (order.status !== 'PAID') return
  const duplicateRefundIds = await grantLines(deps, order)
  await alignAccessTo(deps, order, { mayAdd: true })
  await useCoupon(deps, order)
  await issueInvoice(deps, order, buyer)
  await billByProfile(deps, { orderId: order._id, buyer })
  await creditEarlierRefunds(deps, order)
  await mailReceipt(deps, order, buyer)
  await transitionOrder(deps, {
    id: order._id,
    from: ['PAID'],
    set: { status: 'FULFILLED', fulfilledAt: deps.now() },
    note: { event: 'fulfilled' },
  })
  for (const refundId of duplicateRefundIds) await driveRefund(deps, refundId)
}

/** The same for whoever has only the order's id. */
export async function fulfillById(deps: PaymentDeps, orderId: string): Promise<void> {
  const order = await requireOrder(deps, orderId)
  if (order.status === 'PAID') await fulfill(deps, order, await findBuyer(deps, order.userId))
}

async function useCoupon(deps: Uses<'db' | 'now'>, order: OrderDocument): Promise<void> {
  if (!order.couponCode) return
  const { late } = await redeemUse(deps, order._id)
  if (late)
    await noteOrder(deps, order._id, { event: 'coupon used late', detail: order.couponCode })
}

/** Opens each line; where the buyer holds the course already, its refund is opened instead, and answered. */
async function grantLines(
  deps: Uses<'db' | 'now' | 'gateways'>,
  order: OrderDocument,
): Promise<string[]> {
  const ended = await endedLines(deps, order)
  const refundIds: string[] = []
  for (const line of linesOf(order)) {
    if (ended.has(line.no)) continue
    const whose = { userId: order.userId, courseId: line.courseId }
    if (await addGrantUnlessHeld(deps, { ...whose, grant: grantFor(order, line) })) continue
    if (!order.paymentId) continue
    if (line.amountPaise < leastRefundOf(gatewayOf(deps, order), order.currency)) continue
    const refund = await openRefund(deps, {
      key: `dup-${order._id}-${line.no}`,
      gateway: order.gateway,
      orderId: order._id,
      paymentId: order.paymentId,
      amountPaise: line.amountPaise,
      currency: order.currency,
      lineNos: [line.no],
      cause: 'duplicate',
      reason: 'the buyer had this course already',
    })
    refundIds.push(refund._id)
  }
  return refundIds
}
