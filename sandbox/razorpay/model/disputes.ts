import type { Account } from './account.ts'
import type { DisputeEntity, DisputePhase } from './entities.ts'
import { isId, newId, unixSeconds } from './entities.ts'
import { disputeEvent } from './events.ts'
import { requirePayment } from './payments.ts'
import { Refusal } from './refusal.ts'

export type DisputeInput = {
  paymentId: string
  /** Paise. */
  amount?: number | undefined
  phase?: DisputePhase | undefined
  reasonCode?: string | undefined
}
export type DisputeMove = 'under_review' | 'action_required' | 'won' | 'lost' | 'closed'

/** The dispute of this id, or what Razorpay answers to a wrong one. */
export function requireDispute(account: Account, id: string): DisputeEntity {
  if (!isId('disp', id)) throw new Refusal(`${id} is not a valid id`)
  const row = account.disputes.get(id)
  if (!row) throw new Refusal('The id provided does not exist')
  return row.dispute
}

/** A buyer goes to the bank; without an amount (in paise), for the whole payment. */
export function openDispute(account: Account, input: DisputeInput): DisputeEntity {
  const { payment } = requirePayment(account, input.paymentId)
  const now = account.now()
  const dispute: DisputeEntity = {
    id: newId('disp'),
    entity: 'dispute',
    payment_id: payment.id,
    amount: input.amount ?? payment.amount,
    currency: payment.currency,
    amount_deducted: 0,
    reason_code: input.reasonCode ?? 'goods_or_services_not_received_or_partially_received',
    respond_by: unixSeconds(now) + 7 * 24 * 60 * 60,
    status: 'open',
    phase: input.phase ?? 'chargeback',
    created_at: unixSeconds(now),
  }
  account.disputes.set(dispute.id, { dispute, createdMs: now.getTime() })
  account.emit([disputeEvent('payment.dispute.created', dispute, payment)])
  return { ...dispute }
}

/** The payment stays captured throughout: only a lost dispute takes the money, all of it or what is named. */
export function moveDispute(
  account: Account,
  id: string,
  move: DisputeMove,
  deducted?: number,
): DisputeEntity {
  const dispute = requireDispute(account, id)
  if (dispute.status !== 'open' && dispute.status !== 'under_review') {
    throw new Refusal(`The dispute is already ${dispute.status}`)
  }
  dispute.status = move === 'action_required' ? 'open' : move
  if (move === 'lost') dispute.amount_deducted = deducted ?? dispute.amount
  const { payment } = requirePayment(account, dispute.payment_id)
  account.emit([disputeEvent(`payment.dispute.${move}`, dispute, payment)])
  return { ...dispute }
}
