// An event makes us look: what it names is fetched by its id, as verify does, and only what the gateway answers is
// acted on. Each thing by itself, so that one that is unknown or odd keeps nobody from the others.
import { GatewayFailure, UnreadableEvent } from '../../gateways/gateway-failure.ts'
import type { GatewayEvent, PaymentGateway } from '../../gateways/payments.ts'
import type { PaymentDeps } from '../deps.ts'
import { applyDispute } from '../disputes.ts'
import { findPayment } from '../record/payments.ts'
import { inWords, setAsideAll, settingAside, unreadableWords } from '../record/unreadable.ts'
import { adoptRefund } from '../refunds/outcome.ts'
import { isUnknownToGateway } from '../settlement/order-of-payment.ts'
import { settlePayment } from '../settlement/settle-payment.ts'
import { DENIED, learnAccount } from './event-account.ts'

type Looking = {
  deps: PaymentDeps
  gateway: PaymentGateway
  event: GatewayEvent
  /** What became of the last payment that was looked at; null before any was. */
  outcome: string | null
}

/**
 * Answers what became of the payment it is about, or DENIED. Throws UnreadableEvent where something of it cannot be
 * read, after all else was looked at, and GatewayFailure where the gateway cannot be asked now.
 */
export async function lookAt(
  deps: PaymentDeps,
  gateway: PaymentGateway,
  event: GatewayEvent,
): Promise<string> {
  const looking: Looking = { deps, gateway, event, outcome: null }
  const odd = event.unnamed.map((kind) => unreadableWords({ kind, id: null }))
  let isDenied = false
  for (const look of [lookAtPayment, lookAtRefund, lookAtDispute]) {
    try {
      await settingAside(deps, null, () => look(looking))
    } catch (failure) {
      if (!(failure instanceof GatewayFailure)) throw failure
      if (failure.unreadable) odd.push(unreadableWords(failure.unreadable))
      else if (isUnknownToGateway(failure)) isDenied = true
      else throw failure
    }
  }
  if (looking.outcome !== null) await learnAccount(deps, gateway, event)
  if (odd.length > 0) throw new UnreadableEvent(inWords(odd))
  return isDenied ? DENIED : (looking.outcome ?? 'ignored')
}

async function lookAtPayment(looking: Looking): Promise<void> {
  const { deps, gateway, event } = looking
  if (event.paymentId !== null) return settle(looking, event.paymentId)
  if (event.orderId === null) return
  const { items, unreadable } = await gateway.paymentsOfOrder(event.orderId)
  await setAsideAll(deps, unreadable)
  for (const payment of items)
    looking.outcome = await settlePayment(deps, payment, { source: 'webhook' })
}

async function settle(looking: Looking, paymentId: string): Promise<void> {
  const payment = await looking.gateway.fetchPayment(paymentId)
  looking.outcome = await settlePayment(looking.deps, payment, { source: 'webhook' })
}

// The payment comes first: a refund or a dispute is of one, and may be the first we hear of it.
async function lookAtRefund(looking: Looking): Promise<void> {
  const { deps, gateway, event } = looking
  if (event.refundId === null) return
  const refund = await gateway.fetchRefund(event.refundId)
  if (refund.paymentId !== event.paymentId) await settle(looking, refund.paymentId)
  if (!(await findPayment(deps, refund.paymentId))) return
  await adoptRefund(deps, refund)
  // The payment is captured again, and may never have got what it was for.
  if (refund.status === 'failed') await settle(looking, refund.paymentId)
}

async function lookAtDispute(looking: Looking): Promise<void> {
  const { deps, gateway, event } = looking
  if (event.disputeId === null) return
  const dispute = await gateway.fetchDispute(event.disputeId)
  if (dispute.paymentId !== event.paymentId) await settle(looking, dispute.paymentId)
  if (!(await findPayment(deps, dispute.paymentId))) return
  await applyDispute(deps, dispute, event.at)
}
