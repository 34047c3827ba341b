import type { z } from 'zod'
import { openBreaker } from '../breaker.ts'
import type { GatewayPage, Period } from '../payments.ts'
import { malformed } from './failure.ts'
import { allPages, eachPage, unixPeriod } from './lists.ts'
import { type NewRazorpayOrder, createOrder, findOrderByReceipt } from './receipts.ts'
import {
  type RazorpayDispute,
  type RazorpayOrder,
  type RazorpayPayment,
  type RazorpayRefund,
  DisputeAnswer,
  isRazorpayId,
  listOf,
  OrderAnswer,
  pageOf,
  PaymentAnswer,
  RefundAnswer,
  requireAmount,
  requireId,
} from './shapes.ts'
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
  paymentsOfOrder: (orderId: string) => Promise<RazorpayPayment[]>
  fetchPayment: (paymentId: string) => Promise<RazorpayPayment>
  /** Captured already is success; a lost answer is looked up. */
  capturePayment: (payment: {
    paymentId: string
    amountPaise: number
    currency: string
  }) => Promise<RazorpayPayment>
  refundPayment: (refund: NewRazorpayRefund) => Promise<RazorpayRefund>
  refundsOfPayment: (paymentId: string) => Promise<RazorpayRefund[]>
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

  const fetchPayment: Razorpay['fetchPayment'] = async (paymentId) => {
    const id = requireId('payment', paymentId)
    return read(
      PaymentAnswer.refine((payment) => payment.id === id),
      (sdk) => sdk.payments.fetch(id),
    )
  }

  return {
    keyId,
    createOrder: (order) => createOrder(wire, order),
    findOrderByReceipt: (receipt) => findOrderByReceipt(wire, receipt),
    fetchOrder: async (orderId) => {
      const id = requireId('order', orderId)
      return read(
        OrderAnswer.refine((order) => order.id === id),
        (sdk) => sdk.orders.fetch(id),
      )
    },
    paymentsOfOrder: async (orderId) => {
      const id = requireId('order', orderId)
      const answer = listOf(PaymentAnswer.refine((payment) => payment.orderId === id))
      return read(answer, (sdk) => sdk.orders.fetchPayments(id))
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
      const answer = listOf(RefundAnswer.refine((refund) => refund.paymentId === id))
      return allPages((page) => read(answer, (sdk) => sdk.payments.fetchMultipleRefund(id, page)))
    },
    fetchRefund: async (refundId) => {
      const id = requireId('refund', refundId)
      return read(
        RefundAnswer.refine((refund) => refund.id === id),
        (sdk) => sdk.refunds.fetch(id),
      )
    },
    fetchDispute: async (disputeId) => {
      const id = requireId('dispute', disputeId)
      return read(
        DisputeAnswer.refine((dispute) => dispute.id === id),
        (sdk) => sdk.disputes.fetch(id),
      )
    },
    listDisputes: () =>
      eachPage((page) => read(pageOf(DisputeAnswer), (sdk) => sdk.disputes.all(page))),
    listPayments: (period) =>
      eachPage((page) =>
        read(pageOf(PaymentAnswer), (sdk) => sdk.payments.all({ ...unixPeriod(period), ...page })),
      ),
    listRefunds: (period) =>
      eachPage((page) =>
        read(pageOf(RefundAnswer), (sdk) => sdk.refunds.all({ ...unixPeriod(period), ...page })),
      ),
    isCheckoutSignature: (orderId, paymentId, signature) =>
      isRazorpayId('order', orderId) &&
      isRazorpayId('payment', paymentId) &&
      isWebhookSignature(`${orderId}|${paymentId}`, signature, keySecrets),
  }
}
