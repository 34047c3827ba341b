// Makes good what never reached us. Orders are asked for one by one, since Razorpay's lists lag behind by
// minutes; the lists are read as well, for what no open order would lead to.
import { MongoFieldFilter, MongoOrExpr } from '@prisma/orm-mongo/query-ast/execution'
import type { Keep } from '../lease.ts'
import { releaseUse } from './coupon-holds.ts'
import { expire } from './expiry.ts'
import { fulfill, settlePayment } from './fulfillment.ts'
import { linkOrder } from './order-of.ts'
import { requireOrder, type OrderDocument, type OrderStatus, type Till } from './order.ts'
import type { RazorpayPayment } from './razorpay-shapes.ts'
import { adoptAll } from './refund-drive.ts'

const OPEN_POLL_MS = 60_000
const CLOSED_POLL_MS = 60 * 60_000
// A bank may take days to say that a payment went through after all. An open order is looked at however old.
const LATE_DAYS = 7
const DAY_MS = 24 * 60 * 60_000
const PER_RUN = 200
// Automatic capture is Razorpay's default and needs a moment.
const CAPTURE_AFTER_MS = 60_000

/** One sweep: what was stopped half-way, what is open, what was closed lately. */
export async function reconcile(deps: Till, keep: Keep): Promise<void> {
  for (const { _id } of await deps.db.orm.orders.where({ status: 'PAID' }).limit(PER_RUN).all()) {
    if (!(await keep())) return
    await tryOn(deps, _id, () => fulfill(deps, _id))
  }
  const due = [
    ...(await dueOrders(deps, 'CREATED', OPEN_POLL_MS)),
    ...(await dueOrders(deps, 'REVIEW', CLOSED_POLL_MS)),
    ...(await dueOrders(deps, 'EXPIRED', CLOSED_POLL_MS)),
  ]
  for (const order of due) {
    if (!(await keep())) return
    await tryOn(deps, order._id, () => checkOrder(deps, order))
  }
  await releaseLeftHolds(deps)
}

function dueOrders({ db, now }: Till, status: OrderStatus, every: number) {
  const at = now().getTime()
  const isDue = MongoOrExpr.of([
    MongoFieldFilter.lte('checkedAt', new Date(at - every)),
    // In the future: the clock was set back since.
    MongoFieldFilter.gt('checkedAt', new Date(at)),
  ])
  const reach = status === 'CREATED' ? 0 : at - LATE_DAYS * DAY_MS
  return db.orm.orders
    .where({ status })
    .where(isDue)
    .where(MongoFieldFilter.gt('expiresAt', new Date(reach)))
    .orderBy({ checkedAt: 1 })
    .limit(PER_RUN)
    .all()
}

/** One order's trouble must not keep the others waiting. */
async function tryOn({ log }: Till, orderId: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    log.warn({ err: error, orderId }, 'order not reconciled')
  }
}

/** Asks Razorpay what became of an order, and expires it when its time is over and nothing came. */
export async function checkOrder(deps: Till, order: OrderDocument): Promise<void> {
  const at = deps.now()
  const razorpayOrderId = order.razorpayOrderId ?? (await findLost(deps, order))
  const isPaying = razorpayOrderId !== null && (await checkPayments(deps, order, razorpayOrderId))
  if (!isPaying && order.status === 'CREATED' && order.expiresAt <= at) await expire(deps, order)
  await deps.db.orm.orders.where({ _id: order._id }).update({ checkedAt: at })
}

async function findLost(deps: Till, order: OrderDocument): Promise<string | null> {
  if (order.amountPaise === 0) return null
  const theirs = await deps.razorpay.findOrderByReceipt(order._id)
  if (!theirs) return null
  await linkOrder(deps, order._id, theirs)
  return (await requireOrder(deps, order._id)).razorpayOrderId
}

/** True while a payment stands that may still become one. */
async function checkPayments(
  deps: Till,
  order: OrderDocument,
  razorpayOrderId: string,
): Promise<boolean> {
  const payments = await deps.razorpay.paymentsOfOrder(razorpayOrderId)
  // The first to be paid is the one that counts.
  payments.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
  for (const payment of payments) await takeIn(deps, payment)
  const authorized = payments.filter((payment) => mayPay(order, payment))
  const isTaken = payments.some(({ status }) => status === 'captured' || status === 'refunded')
  const ripe = authorized.find((payment) => isRipe(deps, payment))
  if (!ripe) return authorized.length > 0
  if (isTaken) return false
  const { id: paymentId, amountPaise, currency } = ripe
  await settlePayment(
    deps,
    await deps.razorpay.capturePayment({ paymentId, amountPaise, currency }),
    'poll',
  )
  return true
}

/** A payment with all that was given back of it. */
export async function takeIn(deps: Till, payment: RazorpayPayment): Promise<void> {
  await settlePayment(deps, payment, 'poll')
  if (payment.amountRefundedPaise > 0) await adoptAll(deps, payment.id)
}

/** Any other authorization is never captured by us, and Razorpay lets go of it after some days. */
function mayPay(order: OrderDocument, payment: RazorpayPayment): boolean {
  return (
    payment.status === 'authorized' &&
    payment.amountPaise === order.amountPaise &&
    payment.currency === order.currency
  )
}

function isRipe({ now }: Till, { createdAt }: RazorpayPayment): boolean {
  return now().getTime() - createdAt.getTime() >= CAPTURE_AFTER_MS
}

/** Coupons of orders that were closed by somebody who died before giving them back. */
async function releaseLeftHolds(deps: Till): Promise<void> {
  const held = await deps.db.orm.coupon_uses
    .where({ state: 'HELD' })
    .where(MongoFieldFilter.lte('createdAt', new Date(deps.now().getTime() - OPEN_POLL_MS)))
    .limit(PER_RUN)
    .all()
  for (const { orderId } of held) {
    const order = await deps.db.orm.orders.where({ _id: orderId }).select('status').first()
    if (!order || order.status === 'EXPIRED') await releaseUse(deps, orderId)
  }
}
