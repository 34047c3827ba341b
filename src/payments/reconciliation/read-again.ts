// What could not be read is asked for again, until it can be: by then the gateway, or we, have been put right.
import { MongoFieldFilter, MongoOrExpr } from '@prisma/orm-mongo/query-ast/execution'
import type { Stored } from '../../db.ts'
import { MINUTE_MS } from '../../durations.ts'
import {
  GatewayFailure,
  isGatewayOutage,
  type UnreadableEntity,
} from '../../gateways/gateway-failure.ts'
import type { PaymentGateway } from '../../gateways/payments.ts'
import type { Keep } from '../../lease.ts'
import { literally } from '../../text.ts'
import type { PaymentDeps } from '../deps.ts'
import { applyDispute } from '../disputes.ts'
import { isReadSince, setAsideUnreadable, unreadableWords } from '../record/unreadable.ts'
import { adoptRefund } from '../refunds/outcome.ts'
import { findOrderOf, isUnknownToGateway } from '../settlement/order-of-payment.ts'
import { reconcilePayment } from './reconciler.ts'

const EVERY_MS = 15 * MINUTE_MS
const PER_RUN = 100

type SetAside = Stored<'unreadable_entities'>

/** What stands in a list of the whole account and cannot be read, unless it is of an order that is not ours. */
export async function setAsideListed(deps: PaymentDeps, entity: UnreadableEntity): Promise<void> {
  const { gateway, orderId, isOfNoOrder } = entity
  if (isOfNoOrder) return
  if (orderId === null) return setAsideUnreadable(deps, entity)
  const order = await findOrderOf(deps, { gateway, orderId })
  if (order) await setAsideUnreadable(deps, entity, order._id)
}

/** Asks for what was set aside, each no oftener than every quarter of an hour. Throws GatewayFailure in an outage. */
export async function readAgain(
  deps: PaymentDeps,
  keep: Keep,
  gateway: PaymentGateway,
): Promise<void> {
  const { db, now, log } = deps
  const at = now()
  const isDue = MongoOrExpr.of([
    MongoFieldFilter.lte('updatedAt', new Date(at.getTime() - EVERY_MS)),
    // In the future: the clock was set back since.
    MongoFieldFilter.gt('updatedAt', at),
  ])
  const due = await db.orm.unreadable_entities
    .where({ gateway: gateway.name })
    .where(MongoFieldFilter.isNull('readAt'))
    .where(isDue)
    .orderBy({ updatedAt: 1 })
    .limit(PER_RUN)
    .all()
  for (const row of due) {
    if (!(await keep())) return
    const mine = db.orm.unreadable_entities.where({ _id: row._id })
    await mine.update({ updatedAt: at })
    try {
      if (!(await isReadNow(deps, gateway, row))) continue
    } catch (failure) {
      if (isGatewayOutage(failure) || !(failure instanceof GatewayFailure)) throw failure
      log.warn({ err: failure, key: row.key }, 'still not read')
      continue
    }
    await mine.update({ readAt: now() })
    await closeEvents(deps, row)
  }
}

async function isReadNow(
  deps: PaymentDeps,
  gateway: PaymentGateway,
  row: SetAside,
): Promise<boolean> {
  try {
    if (row.entityId) await read(deps, gateway, { kind: row.kind, id: row.entityId })
    // Nothing names it but the list that it stood in.
    else if (row.gatewayOrderId)
      return (await gateway.paymentsOfOrder(row.gatewayOrderId)).unreadable.length === 0
    else if (row.paymentId)
      return (await gateway.refundsOfPayment(row.paymentId)).unreadable.length === 0
    else return false
    return true
  } catch (failure) {
    // Gone, or never ours: there is nothing left to read.
    if (isUnknownToGateway(failure)) return true
    throw failure
  }
}

async function read(
  deps: PaymentDeps,
  gateway: PaymentGateway,
  { kind, id }: { kind: string; id: string },
): Promise<void> {
  if (kind === 'payment') await reconcilePayment(deps, await gateway.fetchPayment(id))
  else if (kind === 'dispute') await applyDispute(deps, await gateway.fetchDispute(id))
  else if (kind === 'order') await gateway.fetchOrder(id)
  else {
    const refund = await gateway.fetchRefund(id)
    await reconcilePayment(deps, await gateway.fetchPayment(refund.paymentId))
    await adoptRefund(deps, refund)
  }
}

/** The events that were given up for it, once nothing else is unread that they were given up for. */
async function closeEvents({ db, now }: PaymentDeps, row: SetAside): Promise<void> {
  const { gateway, kind, entityId } = row
  if (!entityId) return
  const words = unreadableWords({ kind, id: entityId })
  const given = await db.orm.webhook_events
    .where({ gateway, state: 'DEAD' })
    .where(MongoFieldFilter.of('outcome', '$regex', literally(words)))
    .select('_id', 'outcome')
    .all()
  for (const { _id, outcome } of given) {
    if (outcome && (await isReadSince({ db }, gateway, outcome)))
      await db.orm.webhook_events
        .where({ _id, state: 'DEAD' })
        .update({ state: 'DONE', outcome: 'read later', processedAt: now() })
  }
}
