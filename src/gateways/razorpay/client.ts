import type { z } from 'zod'
import { openBreaker } from '../breaker.ts'
import type { GatewayPage, Period } from '../payments.ts'
import type { EntityKind } from '../gateway-failure.ts'
import { malformed } from './failure.ts'
import { isRazorpayId, requireId } from './ids.ts'
import { allPages, eachPage, unixPeriod } from './lists.ts'
import { type NewRazorpayOrder, createOrder, findOrderByReceipt } from './receipts.ts'
import {
  type RazorpayDispute,
  type RazorpayOrder,
  type RazorpayPayment,
  type RazorpayRefund,
  DisputeAnswer,
  OrderAnswer,
  PaymentAnswer,
  RefundAnswer,
  requireAmount,
} from './shapes.ts'
import { pageOf } from './unreadable.ts'
import { isWebhookSignature } from './signature.ts'
import { type Call, openWire } from './wire.ts'

export type RazorpayOptions = {
  keyId: string
  keySecret: string
  /** Secrets of keys just replaced: a checkout opened before is signed with the old one. */
  previousKeySecrets?: readonly string[]
  /** Origin, without /v1. */
  apiUrl: string
  /** Deadline of one attempt in milliseconds, default 4000. */
  timeoutMs?: number
  now: () => Date
  /** Spreads retries, in [0, 1). */
  random?: () => number
}

export type NewRazorpayRefund = {
  paymentId: string
  amountPaise: number
  /** 10 to 40 of A-Z a-z 0-9 _ -; the same key and amount give the same refund, however often. */
  key: string
  notes?: Record<string, string>
}

/**
 * Everything we ask of Razorpay. Each function rejects with a GatewayFailure and nothing else.
 *
 * Limits: an attempt lasts at most `timeoutMs`; reads and refunds are tried up to 3 times (2 after a
 * timeout) with 0.1 to 0.4 s between; answers up to 1 MiB; refunds of one payment up to 1000. After 5
 * silent attempts in a row calls fail at once for 10 s. Amounts are integer paise.
 */
export type Razorpay = {
  /** Public: checkout in the browser is opened with it. */
  keyId: string
  /** A lost answer is looked up by receipt; a receipt used for another amount is a `conflict`. */
  createOrder: (order: NewRazorpayOrder) => Promise<RazorpayOrder>
  /** Razorpay's list may lag behind by minutes: null does not prove that there is none. */
  findOrderByReceipt: (receipt: string) => Promise<RazorpayOrder | null>
  fetchOrder: (orderId: string) => Promise<RazorpayOrder>
  paymentsOfOrder: (orderId: string) => Promise<GatewayPage<RazorpayPayment>>
  fetchPayment: (paymentId: string) => Promise<RazorpayPayment>
  /** Captured already is success; a lost answer is looked up. */
  capturePayment: (payment: {
    paymentId: string
    amountPaise: number
    currency: string
  }) => Promise<RazorpayPayment>
  refundPayment: (refund: NewRazorpayRefund) => Promise<RazorpayRefund>
  refundsOfPayment: (paymentId: string) => Promise<GatewayPage<RazorpayRefund>>
  fetchRefund: (refundId: string) => Promise<RazorpayRefund>
  fetchDispute: (disputeId: string) => Promise<RazorpayDispute>
  /** Newest first, page by page. */
  listDisputes: () => AsyncIterable<GatewayPage<RazorpayDispute>>
  /** By creation, newest first, page by page. */
  listPayments: (period: Period) => AsyncIterable<GatewayPage<RazorpayPayment>>
  listRefunds: (period: Period) => AsyncIterable<GatewayPage<RazorpayRefund>>
  /** Take `orderId` from our own database: the signature tells nothing of user, amount or time. */
  isCheckoutSignature: (orderId: string, paymentId: string, signature: unknown) => boolean
}

/** Of a list of what belongs to one thing: something of another's is not believed. */
const ANOTHERS = (field: string) => ({ path: [field], error: 'is another’s' })

/**
 * Opens the SDK behind what it lacks: a host, deadlines, retries, a breaker. Nothing is asked before the first
 * call.
 */
export function openRazorpay(options: RazorpayOptions): Razorpay {
  const { keyId, keySecret } = options
  const keySecrets = [keySecret, ...(options.previousKeySecrets ?? [])]
  const wire = openWire({
    keyId,
    keySecret,
    apiUrl: new URL(options.apiUrl).origin,
    timeoutMs: options.timeoutMs ?? 4000,
    random: options.random ?? Math.random,
    breaker: openBreaker('Razorpay', options.now),
  })
  const read = <T>(answer: z.ZodType<T>, run: Call<T>['run']) =>
    wire({ answer, run, isRepeatable: true })
  const fetch = async <T extends { id: string }>(
    { kind, id }: { kind: EntityKind; id: string },
    answer: z.ZodType<T>,
    run: (sdk: Parameters<Call<T>['run']>[0], id: string) => Promise<unknown>,
  ): Promise<T> => {
    const of = { kind, id: requireId(kind, id) }
    const asked = answer.refine((entity) => entity.id === id)
    return wire({ answer: asked, of, isRepeatable: true, run: (sdk) => run(sdk, of.id) })
  }

  const fetchPayment: Razorpay['fetchPayment'] = (id) =>
    fetch({ kind: 'payment', id }, PaymentAnswer, (sdk, asked) => sdk.payments.fetch(asked))

  return {
    keyId,
    createOrder: (order) => createOrder(wire, order),
    findOrderByReceipt: (receipt) => findOrderByReceipt(wire, receipt),
    fetchOrder: (id) =>
      fetch({ kind: 'order', id }, OrderAnswer, (sdk, asked) => sdk.orders.fetch(asked)),
    paymentsOfOrder: async (orderId) => {
      const id = requireId('order', orderId)
      const ofOrder = PaymentAnswer.refine(
        (payment) => payment.orderId === id,
        ANOTHERS('order_id'),
      )
      return read(pageOf('payment', ofOrder), (sdk) => sdk.orders.fetchPayments(id))
    },
    fetchPayment,
    capturePayment: async ({ paymentId, amountPaise, currency }) => {
      const id = requireId('payment', paymentId)
      requireAmount(amountPaise)
      try {
        return await wire({
          answer: PaymentAnswer.refine(
            (payment) => payment.id === id && payment.status === 'captured',
          ),
          isRepeatable: false,
          run: (sdk) => sdk.payments.capture(id, amountPaise, currency),
        })
      } catch (failure) {
        const payment = await fetchPayment(id).catch(() => null)
        if (payment?.status === 'captured') return payment
        throw failure
      }
    },
    refundPayment: async ({ paymentId, amountPaise, key, notes = {} }) => {
      const id = requireId('payment', paymentId)
      requireAmount(amountPaise)
      if (!/^[A-Za-z0-9_-]{10,40}$/.test(key)) throw malformed('not an idempotency key')
      return wire({
        answer: RefundAnswer.refine(
          (refund) => refund.paymentId === id && refund.amountPaise === amountPaise,
        ),
        isRepeatable: true,
        headers: { 'X-Refund-Idempotency': key },
        run: (sdk) => sdk.payments.refund(id, { amount: amountPaise, receipt: key, notes }),
      })
    },
    refundsOfPayment: async (paymentId) => {
      const id = requireId('payment', paymentId)
      const ofPayment = RefundAnswer.refine(
        (refund) => refund.paymentId === id,
        ANOTHERS('payment_id'),
      )
      const answer = pageOf('refund', ofPayment)
      return allPages((page) => read(answer, (sdk) => sdk.payments.fetchMultipleRefund(id, page)))
    },
    fetchRefund: (id) =>
      fetch({ kind: 'refund', id }, RefundAnswer, (sdk, asked) => sdk.refunds.fetch(asked)),
    fetchDispute: (id) =>
      fetch({ kind: 'dispute', id }, DisputeAnswer, (sdk, asked) => sdk.disputes.fetch(asked)),
    listDisputes: () =>
      eachPage((page) => read(pageOf('dispute', DisputeAnswer), (sdk) => sdk.disputes.all(page))),
    listPayments: (period) => {
      const answer = pageOf('payment', PaymentAnswer)
      const within = unixPeriod(period)
      return eachPage((page) => read(answer, (sdk) => sdk.payments.all({ ...within, ...page })))
    },
    listRefunds: (period) => {
      const answer = pageOf('refund', RefundAnswer)
      const within = unixPeriod(period)
      return eachPage((page) => read(answer, (sdk) => sdk.refunds.all({ ...within, ...page })))
    },
    isCheckoutSignature: (orderId, paymentId, signature) =>
      isRazorpayId('order', orderId) &&
      isRazorpayId('payment', paymentId) &&
      isWebhookSignature(`${orderId}|${paymentId}`, signature, keySecrets),
  }
}
