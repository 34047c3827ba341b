// What a gateway says of a payment, remembered under the gateway's own id. Its status only moves forward: a late
// `failed` takes nothing back, and `failed` itself is not final. Captured and refunded follow from the refunds.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { isDuplicateKey, type Stored } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import type { GatewayPayment } from '../../gateways/payments.ts'
import { paidTimeOf, withinReason } from './gateway-time.ts'

export type PaymentDocument = Stored<'payments'>

/** Who brought the news: the buyer's browser, the gateway's webhook, or our own asking. */
export type PaymentSource = 'verify' | 'webhook' | 'poll'

type PaymentStatus = PaymentDocument['status']

const FORWARD: PaymentStatus[] = ['created', 'failed', 'authorized', 'captured', 'refunded']

type Seen = { source: PaymentSource; orderId: string | null; feePaise: number | null }

/** Writes the payment down or moves it forward; `isNews` says whether anything changed. */
export async function recordPayment(
  deps: Uses<'db' | 'now'>,
  seen: GatewayPayment,
  { source, orderId, feePaise }: Seen,
): Promise<{ payment: PaymentDocument; isNews: boolean }> {
  const at = deps.now()
  const { status } = seen
  const times = { madeAt: withinReason(deps, seen.createdAt), takenAt: seen.capturedAt }
  const capturedAt = withinReason(deps, paidTimeOf(seen), times.madeAt)
  const capture = status === 'captured' ? { capturedAt } : {}
  try {
    const payment = await deps.db.orm.payments.create({
      gateway: seen.gateway,
      gatewayPaymentId: seen.id,
      gatewayOrderId: seen.orderId,
      orderId,
      status,
      amountPaise: seen.amountPaise,
      feePaise,
      currency: seen.currency,
      method: seen.method,
      seenVia: source,
      quarantine: null,
      review: null,
      refundKeys: [],
      refundedLines: [],
      reservedPaise: 0,
      lostPaise: null,
      capturedAt: capture.capturedAt ?? null,
      ...times,
      turnedAt: null,
      createdAt: at,
      updatedAt: at,
    })
    return { payment, isNews: true }
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
  }
  const known = deps.db.orm.payments.where({ gateway: seen.gateway, gatewayPaymentId: seen.id })
  if (orderId !== null) {
    await known.where(MongoFieldFilter.isNull('orderId')).update({ orderId, updatedAt: at })
  }
  const before = FORWARD.slice(0, FORWARD.indexOf(status))
  const earlier = status === 'refunded' ? before.filter((one) => one !== 'captured') : before
  const isNewSource = status !== 'refunded' && { seenVia: source }
  const moved = await known
    .where(MongoFieldFilter.in('status', earlier))
    .update({ status, feePaise, ...isNewSource, updatedAt: at, ...times, ...capture })
  const payment = moved ?? (await known.first())
  if (!payment) throw new Error(`payment ${seen.id} is another gateway's, or gone`)
  return { payment, isNews: moved !== null }
}

/** By the gateway's own id; null when nobody has told us of it. */
export function findPayment(
  { db }: Uses<'db'>,
  paymentId: string,
): Promise<PaymentDocument | null> {
  return Promise.resolve(db.orm.payments.where({ gatewayPaymentId: paymentId }).first())
}

/** Sets a payment aside for an administrator: money that nothing of ours accounts for. */
export async function quarantine(
  deps: Uses<'db' | 'now' | 'log'>,
  paymentId: string,
  reason: string,
): Promise<void> {
  const moved = await deps.db.orm.payments
    .where({ gatewayPaymentId: paymentId })
    .where(MongoFieldFilter.isNull('quarantine'))
    .update({ quarantine: reason, updatedAt: deps.now() })
  if (moved) deps.log.warn({ paymentId, reason }, 'payment set aside for review')
}
