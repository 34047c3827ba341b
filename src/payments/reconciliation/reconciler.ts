// Makes good what never reached us. Orders are asked for one by one, since a gateway's lists lag behind by
// minutes; the lists are read as well, for what no open order would lead to.
import { MongoFieldFilter, MongoOrExpr } from '@prisma/orm-mongo/query-ast/execution'
import { releaseUse } from '../../coupons/uses.ts'
import type { Uses } from '../../deps.ts'
import { MINUTE_MS, HOUR_MS, DAY_MS } from '../../durations.ts'
import type { GatewayPage, GatewayPayment, PaymentGateway } from '../../gateways/payments.ts'
import type { Keep } from '../../lease.ts'
import { closeReview, expire } from '../../orders/expiry.ts'
import { requireOrder, type OrderDocument, type OrderStatus } from '../../orders/order.ts'
import { type PaymentDeps, gatewayOf } from '../deps.ts'
import { setAsideAll, settingAside } from '../record/unreadable.ts'
import { adoptRefunds } from '../refunds/drive.ts'
import { isCapturable } from '../settlement/capture.ts'
import { fulfillById } from '../settlement/fulfillment.ts'
import { isUnknownToGateway, linkOrder } from '../settlement/order-of-payment.ts'
import { settlePayment } from '../settlement/settle-payment.ts'

const SOON_MS = MINUTE_MS
const LATER_MS = HOUR_MS
// A bank may take days to say that a payment went through after all. An open order is looked at however old.
const LATE_DAYS = 7
const PER_RUN = 1_000
const AT_ONCE = 8
// Where a gateway captures by itself, it needs a moment.
const CAPTURE_AFTER_MS = MINUTE_MS

/** Which orders are looked at, how often, and by what; answers true to be asked again soon. */
type Round = {
  status: OrderStatus
  everyMs: number
  look: (deps: PaymentDeps, order: OrderDocument) => Promise<boolean>
}

const ROUNDS: Round[] = [
  { status: 'PAID', everyMs: 0, look: resumeFulfillment },
  { status: 'CREATED', everyMs: SOON_MS, look: checkOrder },
  { status: 'REVIEW', everyMs: LATER_MS, look: checkOrder },
  { status: 'EXPIRED', everyMs: LATER_MS, look: checkOrder },
]

/** One sweep: what was stopped half-way, what is open, what was closed lately. */
export async function reconcile(deps: PaymentDeps, keep: Keep): Promise<void> {
  for (const round of ROUNDS) {
    const due = await dueOrders(deps, round)
    for (let at = 0; at < due.length; at += AT_ONCE) {
      if (!(await keep())) return
      const some = due.slice(at, at + AT_ONCE)
      await Promise.all(some.map((order) => checkDue(deps, order, round)))
    }
  }
  await releaseAbandonedUses(deps)
}

function dueOrders({ db, now }: Uses<'db' | 'now'>, { status, everyMs }: Round) {
  const at = now().getTime()
  const isDue = MongoOrExpr.of([
    MongoFieldFilter.lte('checkedAt', new Date(at - everyMs)),
    // In the future: the clock was set back since.
    MongoFieldFilter.gt('checkedAt', new Date(at)),
  ])
  const reach = status === 'PAID' || status === 'CREATED' ? 0 : at - LATE_DAYS * DAY_MS
  return db.orm.orders
    .where({ status })
    .where(isDue)
    .where(MongoFieldFilter.gt('expiresAt', new Date(reach)))
    .orderBy({ checkedAt: 1 })
    .limit(PER_RUN)
    .all()
}

/**
 * It is marked as looked at before anything is tried, and whatever happens: an order that always fails goes to
 * the end of the queue and keeps no other waiting.
 */
async function checkDue(
  deps: PaymentDeps,
  order: OrderDocument,
  { everyMs, look }: Round,
): Promise<void> {
  const at = deps.now().getTime()
  const mark = (checkedAt: number) =>
    deps.db.orm.orders.where({ _id: order._id }).update({ checkedAt: new Date(checkedAt) })
  await mark(at)
  let isSoon = true
  try {
    isSoon = await settingAside(deps, order._id, () => look(deps, order))
  } catch (error) {
    deps.log.warn({ err: error, orderId: order._id }, 'order not reconciled')
  }
  if (isSoon && everyMs > SOON_MS) await mark(at - everyMs + SOON_MS)
}

async function resumeFulfillment(deps: PaymentDeps, { _id }: OrderDocument): Promise<boolean> {
  await fulfillById(deps, _id)
  return false
}

/**
 * Asks the gateway what became of an order, and expires it when its time is over and nothing came. True while a
 * payment stands that may still become one.
 */
export async function checkOrder(deps: PaymentDeps, order: OrderDocument): Promise<boolean> {
  const gatewayOrderId = order.gatewayOrderId ?? (await findUnlinkedOrder(deps, order))
  const isPaying = gatewayOrderId !== null && (await checkPayments(deps, order, gatewayOrderId))
  if (order.status === 'REVIEW') await closeReview(deps, order._id)
  if (!isPaying && order.status === 'CREATED' && order.expiresAt <= deps.now())
    await expire(deps, order)
  return isPaying
}

async function findUnlinkedOrder(
  deps: Uses<'db' | 'now' | 'gateways'>,
  order: OrderDocument,
): Promise<string | null> {
  if (order.amountPaise === 0) return null
  const theirs = await gatewayOf(deps, order).findOrder(order._id)
  if (!theirs) return null
  await linkOrder(deps, order._id, theirs)
  return (await requireOrder(deps, order._id)).gatewayOrderId
}

/** True while a payment stands that may still become one. */
async function checkPayments(
  deps: PaymentDeps,
  order: OrderDocument,
  gatewayOrderId: string,
): Promise<boolean> {
  const gateway = gatewayOf(deps, order)
  const { items: payments, unreadable } = await paymentsOf(gateway, gatewayOrderId)
  await setAsideAll(deps, unreadable, order._id)
  // The first to be paid is the one that counts.
  payments.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
  for (const payment of payments) await reconcilePayment(deps, payment)
  const authorized = payments.filter((payment) => isCapturable(order, payment))
  const isTaken = payments.some(({ status }) => status === 'captured' || status === 'refunded')
  const ripe = authorized.find((payment) => isDueForCapture(deps, payment))
  if (!ripe) return authorized.length > 0 || (unreadable.length > 0 && isYoung(deps, order))
  if (isTaken) return false
  const held = { ...ripe, ownPaise: order.amountPaise }
  await settlePayment(deps, await gateway.capturePayment(held), { source: 'poll' })
  return true
}

/** None of an order that this key's account does not have: it was made under another, and nobody can pay it. */
async function paymentsOf(
  gateway: PaymentGateway,
  orderId: string,
): Promise<GatewayPage<GatewayPayment>> {
  try {
    return await gateway.paymentsOfOrder(orderId)
  } catch (failure) {
    if (isUnknownToGateway(failure)) return { items: [], unreadable: [] }
    throw failure
  }
}

/** While a payment that cannot be read may still be the one, its order is not closed. */
function isYoung({ now }: Uses<'now'>, { expiresAt }: OrderDocument): boolean {
  return now().getTime() - expiresAt.getTime() < LATE_DAYS * DAY_MS
}

/** A payment with all that was given back of it. */
export async function reconcilePayment(deps: PaymentDeps, payment: GatewayPayment): Promise<void> {
  await settlePayment(deps, payment, { source: 'poll' })
  const { gateway, id: paymentId, amountRefundedPaise } = payment
  if (amountRefundedPaise > 0) await adoptRefunds(deps, { gateway, paymentId })
}

function isDueForCapture({ now }: Uses<'now'>, { createdAt }: GatewayPayment): boolean {
  return now().getTime() - createdAt.getTime() >= CAPTURE_AFTER_MS
}

/** Coupons of orders that were closed by somebody who died before giving them back. */
async function releaseAbandonedUses(deps: Uses<'db' | 'now'>): Promise<void> {
  const old = new Date(deps.now().getTime() - SOON_MS)
  const held = await deps.db.driver
    .collection('coupon_uses')
    .aggregate<{ orderId: string }>([
      { $match: { state: 'HELD', createdAt: { $lte: old } } },
      { $addFields: { order: { $toObjectId: '$orderId' } } },
      { $lookup: { from: 'orders', localField: 'order', foreignField: '_id', as: 'order' } },
      { $match: { 'order.status': { $nin: ['CREATED', 'PAID', 'REVIEW', 'FULFILLED'] } } },
      { $limit: PER_RUN },
      { $project: { orderId: 1 } },
    ])
    .toArray()
  for (const { orderId } of held) await releaseUse(deps, orderId)
}
