// What Razorpay says of a payment, remembered under its own id. Its status only moves forward: a late
// `failed` takes nothing back, and `failed` itself is not final. Captured and refunded follow from the refunds.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { isDuplicateKey, type Stored } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import type { RazorpayPayment } from '../../gateways/razorpay/shapes.ts'

export type PaymentDocument = Stored<'payments'>

/** Who brought the news. */
export type Via = 'verify' | 'webhook' | 'poll'

type PaymentStatus = PaymentDocument['status']

const FORWARD: PaymentStatus[] = ['created', 'failed', 'authorized', 'captured', 'refunded']

type Seen = { via: Via; orderId: string | null }

/** Writes the payment down or moves it forward; `isNews` says whether anything changed. */
export async function recordPayment(
  deps: Uses<'db' | 'now'>,
  seen: RazorpayPayment,
  { via, orderId }: Seen,
): Promise<{ payment: PaymentDocument; isNews: boolean }> {
  const status = storedStatus(seen)
  const at = deps.now()
  const capture = status === 'captured' ? { capturedAt: at } : {}
  try {
    const payment = await deps.db.orm.payments.create({
      razorpayPaymentId: seen.id,
      razorpayOrderId: seen.orderId,
      orderId,
      status,
      amountPaise: seen.amountPaise,
      currency: seen.currency,
      method: seen.method,
      seenVia: via,
      quarantine: null,
      refundKeys: [],
      refundedLines: [],
      reservedPaise: 0,
      capturedAt: capture.capturedAt ?? null,
      createdAt: at,
      updatedAt: at,
    })
    return { payment, isNews: true }
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
  }
  const known = deps.db.orm.payments.where({ razorpayPaymentId: seen.id })
  if (orderId !== null) {
    await known.where(MongoFieldFilter.isNull('orderId')).update({ orderId, updatedAt: at })
  }
  const before = FORWARD.slice(0, FORWARD.indexOf(status))
  const earlier = status === 'refunded' ? before.filter((one) => one !== 'captured') : before
  const moved = await known
    .where(MongoFieldFilter.in('status', earlier))
    .update({ status, ...(status !== 'refunded' && { seenVia: via }), updatedAt: at, ...capture })
  const payment = moved ?? (await requirePayment(deps, seen.id))
  return { payment, isNews: moved !== null }
}

export function storedStatus({ status }: Pick<RazorpayPayment, 'status'>): PaymentStatus {
  return status === 'pending' ? 'created' : status
}

export async function requirePayment({ db }: Uses<'db'>, id: string): Promise<PaymentDocument> {
  const payment = await db.orm.payments.where({ razorpayPaymentId: id }).first()
  if (!payment) throw new Error(`payment ${id} is gone`)
  return payment
}

/** Sets a payment aside for an administrator: money that nothing of ours accounts for. */
export async function quarantine(
  deps: Uses<'db' | 'now' | 'log'>,
  paymentId: string,
  reason: string,
): Promise<void> {
  const moved = await deps.db.orm.payments
    .where({ razorpayPaymentId: paymentId })
    .where(MongoFieldFilter.isNull('quarantine'))
    .update({ quarantine: reason, updatedAt: deps.now() })
  if (moved) deps.log.warn({ paymentId, reason }, 'payment set aside for review')
}
