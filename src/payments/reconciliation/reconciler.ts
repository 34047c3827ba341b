// Makes good what never reached us. Orders are asked for one by one, since a gateway's lists lag behind by
// minutes; the lists are read as well, for what no open order would lead to.
import { MongoAndExpr, MongoFieldFilter, MongoOrExpr } from '@prisma/orm-mongo/query-ast/execution'
import { releaseUse } from '../../coupons/holds.ts'
import type { Uses } from '../../deps.ts'
import { MINUTE_MS } from '../../durations.ts'
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
import { settlePayment, type PaymentOutcome } from '../settlement/settle-payment.ts'
import { LATE_MS, LONGEST_MS, LONGEST_WHILE_OPEN_MS, NEVER, nextLook, SOON_MS } from './schedule.ts'

const AT_ONCE = 8
// Where a gateway captures by itself, it needs a moment.
const CAPTURE_AFTER_MS = MINUTE_MS
const RELEASED_PER_RUN = 1_000

/** Which orders are looked at, how many of them in one run, and by what; answers true to be asked again soon. */
type Round = {
  status: OrderStatus
  most: number
  look: (deps: PaymentDeps, order: OrderDocument) => Promise<boolean>
}

// So many questions to the gateways in half a minute, for the whole server: however many orders somebody opens,
// theirs wait for each other, and those that were closed have a share of their own.
const ROUNDS: Round[] = [
  { status: 'PAID', most: 200, look: resumeFulfillment },
  { status: 'CREATED', most: 120, look: checkOrder },
  { status: 'REVIEW', most: 20, look: checkOrder },
  { status: 'EXPIRED', most: 60, look: checkOrder },
]

/** One sweep: what was stopped half-way, what is open, what was closed lately. */
export async function reconcile(deps: PaymentDeps, keep: Keep): Promise<void> {
  await retire(deps)
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

/** What is half-way is taken up again each time; whoever is asked about waits until it is due. Oldest first. */
function dueOrders({ db, now }: Uses<'db' | 'now'>, { status, most }: Round) {
  const orders = db.orm.orders.where({ status })
  if (status === 'PAID') return orders.orderBy({ checkedAt: 1 }).limit(most).all()
  const at = now().getTime()
  const isDue = MongoOrExpr.of([
    MongoFieldFilter.lte('dueAt', new Date(at)),
    // Opened by a server that did not write it down yet.
    MongoFieldFilter.isNull('dueAt'),
    MongoAndExpr.of([
      // Too far off: the clock was set back since.
      MongoFieldFilter.gt('dueAt', new Date(at + 2 * LONGEST_MS)),
      MongoFieldFilter.lt('dueAt', NEVER),
    ]),
    ...(status === 'CREATED'
      ? [
          MongoAndExpr.of([
            MongoFieldFilter.gt('dueAt', new Date(at + LONGEST_WHILE_OPEN_MS)),
            MongoFieldFilter.gt('expiresAt', new Date(at)),
          ]),
        ]
      : []),
  ])
  return orders.where(isDue).orderBy({ dueAt: 1 }).limit(most).all()
}

/** Nobody asks any more about what was closed long ago; so the index of what is due stays short. */
async function retire({ db, now }: Uses<'db' | 'now'>): Promise<void> {
  await db.driver.collection('orders').updateMany(
    {
      status: { $in: ['EXPIRED', 'REVIEW'] },
      dueAt: { $not: { $gte: NEVER } },
      expiresAt: { $lte: new Date(now().getTime() - LATE_MS) },
    },
    { $set: { dueAt: NEVER } },
  )
}

/**
 * It is put off before anything is tried, and whatever happens: an order that always fails goes to the end of the
 * queue and keeps no other waiting.
 */
async function checkDue(deps: PaymentDeps, order: OrderDocument, { look }: Round): Promise<void> {
  const at = deps.now()
  const putOff = (dueAt: Date) =>
    deps.db.orm.orders.where({ _id: order._id }).update({ checkedAt: at, dueAt })
  await putOff(nextLook(order, at))
  try {
    if (await settingAside(deps, order._id, () => look(deps, order)))
      await putOff(new Date(at.getTime() + SOON_MS))
  } catch (error) {
    deps.log.warn({ err: error, orderId: order._id }, 'order not reconciled')
    if (await isHalfPaid(deps, order)) await putOff(new Date(at.getTime() + SOON_MS))
  }
}

/** Money that is there and not taken yet lapses: it is gone after in a minute, though the gateway was away. */
async function isHalfPaid({ db }: Uses<'db'>, { _id }: OrderDocument): Promise<boolean> {
  return (await db.orm.payments.where({ orderId: _id, status: 'authorized' }).first()) !== null
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
  const standing = gatewayOrderId === null ? null : await checkPayments(deps, order, gatewayOrderId)
  if (order.status === 'REVIEW') await closeReview(deps, order._id)
  if (standing === null && order.status === 'CREATED' && order.expiresAt <= deps.now())
    await expire(deps, order)
  return standing === 'paying'
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

/** `paying` while a payment stands that may still become one; `unread` while one cannot be read that may be money. */
async function checkPayments(
  deps: PaymentDeps,
  order: OrderDocument,
  gatewayOrderId: string,
): Promise<'paying' | 'unread' | null> {
  const gateway = gatewayOf(deps, order)
  const { items: payments, unreadable } = await paymentsOf(gateway, gatewayOrderId)
  await setAsideAll(deps, unreadable, order._id)
  // The first to be paid is the one that counts.
  payments.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
  const authorized: GatewayPayment[] = []
  for (const payment of payments) {
    const outcome = await reconcilePayment(deps, payment)
    if (outcome !== 'refused' && isCapturable(order, payment)) authorized.push(payment)
  }
  const isTaken = payments.some(({ status }) => status === 'captured' || status === 'refunded')
  const ripe = authorized.find((payment) => isDueForCapture(deps, payment))
  if (authorized.length === 0 && unreadable.length > 0 && isYoung(deps, order)) return 'unread'
  if (!ripe) return authorized.length > 0 ? 'paying' : null
  if (isTaken) return null
  const held = { ...ripe, ownPaise: order.amountPaise }
  await settlePayment(deps, await gateway.capturePayment(held), { source: 'poll' })
  return 'paying'
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
  return now().getTime() - expiresAt.getTime() < LATE_MS
}

/** A payment with all that was given back of it. */
export async function reconcilePayment(
  deps: PaymentDeps,
  payment: GatewayPayment,
): Promise<PaymentOutcome> {
  const outcome = await settlePayment(deps, payment, { source: 'poll' })
  const { gateway, id: paymentId, amountRefundedPaise } = payment
  if (amountRefundedPaise > 0) await adoptRefunds(deps, { gateway, paymentId })
  return outcome
}

function isDueForCapture({ now }: Uses<'now'>, { createdAt }: GatewayPayment): boolean {
  return now().getTime() - createdAt.getTime() >= CAPTURE_AFTER_MS
}

/** Coupons of closed orders, once no payment of them is taken without a question any more. */
async function releaseAbandonedUses(deps: Uses<'db' | 'now'>): Promise<void> {
  const old = new Date(deps.now().getTime() - SOON_MS)
  const held = await deps.db.driver
    .collection('coupon_uses')
    .aggregate<{ orderId: string }>([
      { $match: { state: 'HELD', createdAt: { $lte: old } } },
      { $addFields: { order: { $toObjectId: '$orderId' } } },
      { $lookup: { from: 'orders', localField: 'order', foreignField: '_id', as: 'order' } },
      { $match: { 'order.status': { $nin: ['CREATED', 'PAID', 'REVIEW', 'FULFILLED'] } } },
      { $limit: RELEASED_PER_RUN },
      { $project: { orderId: 1 } },
    ])
    .toArray()
  for (const { orderId } of held) await releaseUse(deps, orderId)
}
