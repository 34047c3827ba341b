// The bank takes the side of a buyer's card, or does not. While it thinks, access stays; a lost dispute has taken
// its amount, as a refund would have, and a won or closed one has taken nothing. The payment itself says nothing of all this.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { isDuplicateKey } from '../db.ts'
import type { Uses } from '../deps.ts'
import type { GatewayDispute } from '../gateways/payments.ts'
import { closeReview } from '../orders/expiry.ts'
import { noteOrder } from '../orders/transitions.ts'
import { type PaymentDeps, gatewayOf } from './deps.ts'
import { lostPaiseOf } from './record/amounts.ts'
import { withinReason } from './record/gateway-time.ts'
import { findPayment } from './record/payments.ts'
import { alignAccess } from './settlement/line-access.ts'
import { settlePayment } from './settlement/settle-payment.ts'

type DisputeStatus = GatewayDispute['status']

const EARLIER: Record<DisputeStatus, DisputeStatus[]> = {
  open: [],
  under_review: ['open'],
  won: ['open', 'under_review'],
  lost: ['open', 'under_review'],
  closed: ['open', 'under_review'],
}

/**
 * Takes in a dispute as the gateway has it; its status only moves forward. `movedAt` is when it did so by the
 * gateway's clock, where that is known: what was lost was lost then.
 */
export async function applyDispute(
  deps: PaymentDeps,
  theirs: GatewayDispute,
  movedAt: Date | null = null,
): Promise<void> {
  const orderId = await orderIdOf(deps, theirs)
  const createdAt = withinReason(deps, theirs.createdAt)
  const at = movedAt === null ? deps.now() : withinReason(deps, movedAt, createdAt)
  const news = { theirs, orderId, createdAt, at }
  const isNews = (await insertDispute(deps, news)) || (await moveForward(deps, news))
  if (theirs.status === 'lost') await holdBackLost(deps, theirs.paymentId)
  if (orderId) await alignOrder(deps, orderId, isNews ? theirs : null)
  await deps.db.orm.disputes
    .where({ gatewayDisputeId: theirs.id, status: theirs.status })
    .update({ settledAt: deps.now() })
}

/** What follows for the order; done again by whoever finds a dispute that is not settled. */
async function alignOrder(
  deps: Uses<'db' | 'now'>,
  orderId: string,
  theirs: GatewayDispute | null,
): Promise<void> {
  if (theirs) {
    const detail = `${theirs.id}: ${theirs.phase}, ${theirs.reasonCode ?? 'no reason given'}`
    await noteOrder(deps, orderId, { event: `dispute ${theirs.status}`, detail })
  }
  await alignAccess(deps, orderId)
  if (theirs?.status === 'lost') await closeReview(deps, orderId)
}

/**
 * Takes what banks took out of what can be refunded. It only grows, since nothing moves a dispute after it was lost;
 * so of two lost at once, whichever is summed up last has both.
 */
async function holdBackLost({ db, now }: Uses<'db' | 'now'>, paymentId: string): Promise<void> {
  const [payment, lost] = await Promise.all([
    findPayment({ db }, paymentId),
    db.orm.disputes.where({ paymentId, status: 'lost' }).all(),
  ])
  if (!payment) return
  const lostPaise = Math.min(lostPaiseOf(lost, payment), payment.amountPaise)
  await db.driver
    .collection('payments')
    .updateOne({ gatewayPaymentId: paymentId }, { $max: { lostPaise }, $set: { updatedAt: now() } })
}

async function orderIdOf(deps: PaymentDeps, theirs: GatewayDispute): Promise<string | null> {
  const known = await findPayment(deps, theirs.paymentId)
  if (known) return known.orderId ?? null
  const payment = await gatewayOf(deps, theirs).fetchPayment(theirs.paymentId)
  await settlePayment(deps, payment, { source: 'poll' })
  return (await findPayment(deps, theirs.paymentId))?.orderId ?? null
}

type News = { theirs: GatewayDispute; orderId: string | null; createdAt: Date; at: Date }

async function insertDispute(
  { db }: Uses<'db'>,
  { theirs, orderId, createdAt, at }: News,
): Promise<boolean> {
  try {
    await db.orm.disputes.create({
      gateway: theirs.gateway,
      gatewayDisputeId: theirs.id,
      paymentId: theirs.paymentId,
      orderId,
      status: theirs.status,
      phase: theirs.phase,
      amountPaise: theirs.amountPaise,
      currency: theirs.currency,
      reasonCode: theirs.reasonCode,
      respondBy: theirs.respondBy,
      settledAt: null,
      createdAt,
      updatedAt: at,
    })
    return true
  } catch (error) {
    if (isDuplicateKey(error)) return false
    throw error
  }
}

async function moveForward({ db }: Uses<'db'>, { theirs, orderId, at }: News): Promise<boolean> {
  const moved = await db.orm.disputes
    .where({ gatewayDisputeId: theirs.id })
    .where(MongoFieldFilter.in('status', EARLIER[theirs.status]))
    .update({
      status: theirs.status,
      phase: theirs.phase,
      amountPaise: theirs.amountPaise,
      orderId,
      settledAt: null,
      updatedAt: at,
    })
  return moved !== null
}
