import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import type { UserDocument } from '../../auth/user.ts'
import type { Uses } from '../../deps.ts'
import { findGrants } from '../../learning/access/grants.ts'
import { putMail } from '../../mail/outbox.ts'
import { sumOf } from '../../money.ts'
import { linesOf, requireOrder, type OrderDocument } from '../../orders/order.ts'
import type { RefundDocument } from '../../orders/refunded.ts'
import type { PaymentDocument } from '../record/payments.ts'
import { isHere, findBuyer } from './buyer.ts'
import { refusalOf } from './late-payment.ts'
import { grantKeyOf } from './line-access.ts'

const MOST_ADMINS = 20

type Needs = Uses<'db' | 'now'>

/** Each under a key of its own, so that it goes out once however often the order is worked on. */
export async function mailReceipt(
  deps: Needs,
  order: OrderDocument,
  buyer: UserDocument | null,
): Promise<void> {
  if (!isHere(buyer)) return
  const { email: to } = buyer
  const lines = linesOf(order)
  if (order.amountPaise > 0) {
    const listed = lines.map(({ title, listPaise }) => ({ title, amountPaise: listPaise }))
    const data = {
      orderId: order._id,
      lines: listed,
      discountPaise: sumOf(listed) - order.amountPaise,
      totalPaise: order.amountPaise,
      paidAt: (order.paidAt ?? deps.now()).toISOString(),
    }
    await putMail(deps, { key: `receipt:${order._id}`, to, template: 'receipt', data })
  }
  for (const { no, courseId, amountPaise } of lines) {
    // A line that the buyer held already was refunded instead.
    const grants = await findGrants(deps, { userId: order.userId, courseId })
    if (!grants.some(({ key, revokedAt }) => key === grantKeyOf(order._id, no) && !revokedAt))
      continue
    const course = await deps.db.orm.courses
      .where({ _id: courseId })
      .select('title', 'slug')
      .first()
    if (!course) continue
    const isFree = amountPaise === 0
    const data = { courseTitle: course.title, courseSlug: course.slug, isFree }
    await putMail(deps, { key: `enrolled:${order._id}:${no}`, to, template: 'enrolled', data })
  }
}

/** Tells the buyer, once, that a refund was processed; nobody, where the account is gone. */
export async function mailRefund(deps: Needs, refund: RefundDocument): Promise<void> {
  const order = refund.orderId
    ? await deps.db.orm.orders.where({ _id: refund.orderId }).first()
    : null
  const buyer = order && (await findBuyer(deps, order.userId))
  if (!order || !isHere(buyer)) return
  await putMail(deps, {
    key: `refund:${refund._id}`,
    to: buyer.email,
    template: 'refund',
    data: { orderId: order._id, amountPaise: refund.amountPaise },
  })
}

type Late = {
  payment: PaymentDocument
  /** Why it was refused, in words for the buyer. */
  fault: string
  /** Whether the money was taken, and so has to be given back. */
  isTaken: boolean
  buyer: UserDocument | null
}

/** Tells the buyer, once, that a payment came too late, why, and what becomes of the money. */
export async function mailLatePayment(
  deps: Needs,
  { _id: orderId }: Pick<OrderDocument, '_id'>,
  { payment, fault, isTaken, buyer }: Late,
): Promise<void> {
  if (!isHere(buyer)) return
  await putMail(deps, {
    key: `late:${payment._id}:${isTaken ? 'taken' : 'held'}`,
    to: buyer.email,
    template: 'late-payment',
    data: { orderId, amountPaise: payment.amountPaise, fault, isTaken },
  })
}

/** The same for one that is not taken at all. */
export async function mailUntaken(
  deps: Needs,
  { _id: id }: OrderDocument,
  payment: PaymentDocument,
): Promise<void> {
  const order = await requireOrder(deps, id)
  const fault = refusalOf(order, payment)
  if (fault === null) return
  const buyer = await findBuyer(deps, order.userId)
  await mailLatePayment(deps, order, { payment, fault, isTaken: false, buyer })
}

/** Tells the administrators, once each, that an order waits for one of them. */
export async function mailReview(deps: Needs, orderId: string, reason: string): Promise<void> {
  const admins = await deps.db.orm.users
    .where({ role: 'ADMIN' })
    .where(MongoFieldFilter.isNull('disabledAt'))
    .select('_id', 'email')
    .limit(MOST_ADMINS)
    .all()
  for (const { _id, email: to } of admins) {
    const key = `review:${orderId}:${_id}`
    await putMail(deps, { key, to, template: 'order-review', data: { orderId, reason } })
  }
}
