import type { Ledger, LedgerPayment } from '../ledger.ts'
import { chargesOf } from './charges.ts'
import { DISPUTE_STATUS, REFUND_STATUS } from './facts.ts'
import type { Account, Charge } from './model.ts'
import { returnsOf } from './returns.ts'

/** The company's own books. */
export function writeLedger(account: Account): Ledger {
  const orders = [...account.intents.values()].map(({ id, ref: reference, paise }) => ({
    id,
    reference,
    amountPaise: paise,
    payments: chargesOf(account, id).map((charge) => lineOf(account, charge)),
  }))
  const payments = orders.flatMap((order) => order.payments)
  const taken = payments.filter(({ captured }) => captured)
  return {
    orders,
    capturedPaise: taken.reduce((sum, { amountPaise }) => sum + amountPaise, 0),
    refundedPaise: payments.reduce((sum, { refundedPaise }) => sum + refundedPaise, 0),
  }
}

function lineOf(account: Account, charge: Charge): LedgerPayment {
  const refunds = returnsOf(account, charge.id).map(({ id, paise, state }) => {
    return { id, amountPaise: paise, status: REFUND_STATUS[state] }
  })
  const standing = refunds.filter(({ status }) => status !== 'failed')
  const refundedPaise = standing.reduce((sum, { amountPaise }) => sum + amountPaise, 0)
  const isAllBack = refundedPaise >= charge.paise - charge.feePaise
  const status = { declined: 'failed', held: 'authorized', lapsed: 'failed', taken: 'captured' }
  return {
    id: charge.id,
    status: isAllBack ? 'refunded' : status[charge.state],
    amountPaise: charge.paise,
    currency: charge.unit.toUpperCase(),
    captured: charge.state === 'taken',
    refundedPaise,
    refunds,
    disputes: [...account.claims.values()]
      .filter(({ chargeId }) => chargeId === charge.id)
      .map(({ id, state, paise }) => ({
        ...{ id, status: DISPUTE_STATUS[state] },
        lostPaise: state === 'upheld' ? paise : 0,
      })),
  }
}
