// What is given back of a payment is reserved on it first: one conditional write keeps the sum within what was
// captured, and no line is given back twice, whoever asks at the same time.
import type { Uses } from '../../deps.ts'
import type { RefundDocument } from '../../orders/refunded.ts'

type Reserved = {
  gatewayPaymentId: string
  amountPaise: number
  refundKeys: string[]
  refundedLines: string[]
  reservedPaise: number
  updatedAt: Date
}

type Ask = Pick<RefundDocument, 'key' | 'paymentId' | 'amountPaise' | 'lineNos'>

// The gateway's fee was never ours, and what a bank took by a lost dispute is gone.
const GONE = [{ $ifNull: ['$feePaise', 0] }, { $ifNull: ['$lostPaise', 0] }]

/** False where more would be given back than is left. Again with the same key, it stays reserved once. */
export async function reserveRefund(deps: Uses<'db' | 'now'>, ask: Ask): Promise<boolean> {
  const { modifiedCount } = await payments(deps).updateOne(
    {
      gatewayPaymentId: ask.paymentId,
      refundKeys: { $ne: ask.key },
      refundedLines: { $nin: [...ask.lineNos] },
      $expr: { $lte: [{ $add: ['$reservedPaise', ask.amountPaise, ...GONE] }, '$amountPaise'] },
    },
    reservation(deps, ask),
  )
  return modifiedCount === 1 || isReserved(deps, ask)
}

/** For money that the gateway has given back already: whatever else is reserved. */
export async function reserveMadeRefund(deps: Uses<'db' | 'now'>, ask: Ask): Promise<void> {
  await payments(deps).updateOne(
    { gatewayPaymentId: ask.paymentId, refundKeys: { $ne: ask.key } },
    reservation(deps, ask),
  )
}

/** Gives the reservation of a failed refund back, once. */
export async function releaseReservation(deps: Uses<'db' | 'now'>, ask: Ask): Promise<void> {
  await payments(deps).updateOne(
    { gatewayPaymentId: ask.paymentId, refundKeys: ask.key },
    {
      $pull: { refundKeys: ask.key },
      $pullAll: { refundedLines: [...ask.lineNos] },
      $inc: { reservedPaise: -ask.amountPaise },
      $set: { updatedAt: deps.now() },
    },
  )
}

function reservation({ now }: Uses<'now'>, { key, lineNos, amountPaise }: Ask) {
  return {
    $push: { refundKeys: key, refundedLines: { $each: [...lineNos] } },
    $inc: { reservedPaise: amountPaise },
    $set: { updatedAt: now() },
  }
}

async function isReserved(deps: Uses<'db'>, { paymentId, key }: Ask): Promise<boolean> {
  const found = await payments(deps).countDocuments({
    gatewayPaymentId: paymentId,
    refundKeys: key,
  })
  return found > 0
}

function payments({ db }: Uses<'db'>) {
  return db.driver.collection<Reserved>('payments')
}
