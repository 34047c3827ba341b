import type { UserDocument } from '../../auth/user.ts'
import { isDuplicateKey } from '../../db.ts'
import { DomainError } from '../../errors.ts'
import type { GatewayPayment } from '../../gateways/payments.ts'
import { requireOrder, type OrderDocument } from '../../orders/order.ts'
import { transitionOrder } from '../../orders/transitions.ts'
import type { PaymentDeps } from '../deps.ts'
import { paidTimeOf, withinReason } from '../record/gateway-time.ts'
import type { PaymentDocument, PaymentSource } from '../record/payments.ts'
import { refundRest } from '../refunds/refund-rest.ts'
import { fulfill } from './fulfillment.ts'
import { judge, notRefused, refusalOf, refuse } from './late-payment.ts'
import { mailLatePayment } from './order-mails.ts'

const MAX_PASSES = 6

type Claim = {
  payment: PaymentDocument
  seen: GatewayPayment
  source: PaymentSource
  buyer: UserDocument | null
}

/**
 * One payment holds the order and opens it; any other is given back, and so is one that came too late. A right
 * payment also ends a review. `read` may be old: what is decided on it is decided by the write.
 */
export async function claimOrder(
  deps: PaymentDeps,
  read: OrderDocument,
  claim: Claim,
): Promise<'fulfilled' | 'refunded' | 'review'> {
  const { payment, seen, buyer } = claim
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const order = pass === 0 ? read : await requireOrder(deps, read._id)
    if (order.paymentId) return settleClaimed(deps, order, claim)
    const refusal = refusalOf(order, payment)
    if (refusal !== null) {
      await mailLatePayment(deps, order, { payment, fault: refusal, isTaken: true, buyer })
      const reason = `it came after the order had closed, and ${refusal}`
      await refundRest(deps, order, { payment, seen, key: 'late', reason })
      return 'refunded'
    }
    const verdict = await judge(deps, order, { payment, seen })
    if (!verdict.isTaken) {
      await refuse(deps, order, { payment, fault: verdict.fault })
      continue
    }
    const claimed = await take(deps, order, { ...claim, lateReason: verdict.lateReason })
    if (claimed === PAYS_FOR_ANOTHER) return 'review'
    if (!claimed) continue
    await fulfill(deps, claimed, buyer)
    return 'fulfilled'
  }
  throw new DomainError('CHANGED_MEANWHILE')
}

async function settleClaimed(
  deps: PaymentDeps,
  order: OrderDocument,
  { payment, seen, buyer }: Claim,
): Promise<'fulfilled' | 'refunded'> {
  if (order.paymentId === payment.gatewayPaymentId) {
    await fulfill(deps, order, buyer)
    return 'fulfilled'
  }
  await refundRest(deps, order, { payment, seen, key: 'dup', reason: 'the order was paid already' })
  return 'refunded'
}

const PAYS_FOR_ANOTHER = 'pays for another order'

/**
 * What was judged of an open order does not hold for one that was closed meanwhile. A payment pays for one order,
 * whatever came in between: its unique key decides.
 */
async function take(
  deps: PaymentDeps,
  order: OrderDocument,
  claim: Claim & { lateReason: string | null },
): Promise<OrderDocument | typeof PAYS_FOR_ANOTHER | null> {
  try {
    return await takeUnlessTaken(deps, order, claim)
  } catch (error) {
    if (isDuplicateKey(error)) return PAYS_FOR_ANOTHER
    throw error
  }
}

function takeUnlessTaken(
  deps: PaymentDeps,
  order: OrderDocument,
  { payment, seen, source, lateReason }: Claim & { lateReason: string | null },
): Promise<OrderDocument | null> {
  const paymentId = payment.gatewayPaymentId
  const why = lateReason === null ? '' : `, ${lateReason}`
  return transitionOrder(deps, {
    id: order._id,
    from: order.status === 'CREATED' ? ['CREATED'] : ['EXPIRED', 'REVIEW'],
    where: { paymentId: null, ...notRefused(payment) },
    set: {
      status: 'PAID',
      paymentId,
      paidAt: withinReason(deps, paidTimeOf(seen), order.createdAt),
      ...(lateReason !== null && { lateReason }),
    },
    unset: ['reviewReason'],
    note: { event: 'paid', detail: `${paymentId} by ${source}${why}` },
  })
}
