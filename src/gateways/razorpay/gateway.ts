// Razorpay behind the port: our orders are its receipts, our idempotency keys its refunds' receipts.
import type { GatewayPage, PaymentGateway } from '../payments.ts'
import { openRazorpay, type RazorpayOptions } from './client.ts'
import { eventOf, signedEvent } from './events.ts'
import { readProof } from './proof.ts'
import { disputeFact, NAME, orderFact, paymentFact, refundFact } from './facts.ts'

export type RazorpayGatewayOptions = RazorpayOptions & {
  /** Newest first: a retried webhook keeps the signature of the secret it was first sent with. */
  webhookSecrets: readonly string[]
  /** Where the browser loads checkout.js from. */
  checkoutUrl: string
}

// One rupee, and as little of any other currency: https://razorpay.com/docs/api/orders/ and /refunds/.
const LIMITS = { leastChargePaise: 100, leastRefundPaise: 100 }

/** Opens Razorpay as a payment gateway. Nothing is asked of it before the first call. */
export function openRazorpayGateway(options: RazorpayGatewayOptions): PaymentGateway {
  const { keyId, webhookSecrets, checkoutUrl } = options
  const razorpay = openRazorpay(options)
  return {
    name: NAME,
    keyId,
    limits: () => LIMITS,
    // By the account's default: https://razorpay.com/docs/payments/payments/capture-settings/.
    capturesByItself: true,
    createOrder: async ({ reference, amountPaise, currency }) =>
      orderFact(
        await razorpay.createOrder({
          amountPaise,
          currency,
          receipt: reference,
          notes: { order: reference },
        }),
      ),
    findOrder: async (reference) => {
      const order = await razorpay.findOrderByReceipt(reference)
      return order && orderFact(order)
    },
    fetchOrder: async (id) => orderFact(await razorpay.fetchOrder(id)),
    paymentsOfOrder: async (id) => (await razorpay.paymentsOfOrder(id)).map(paymentFact),
    fetchPayment: async (id) => paymentFact(await razorpay.fetchPayment(id)),
    capturePayment: async ({ id: paymentId, amountPaise, currency }) =>
      paymentFact(await razorpay.capturePayment({ paymentId, amountPaise, currency })),
    refundPayment: async (refund) => refundFact(await razorpay.refundPayment(refund)),
    refundsOfPayment: async (id) => (await razorpay.refundsOfPayment(id)).map(refundFact),
    fetchRefund: async (id) => refundFact(await razorpay.fetchRefund(id)),
    listPayments: (period) => mapped(razorpay.listPayments(period), paymentFact),
    listRefunds: (period) => mapped(razorpay.listRefunds(period), refundFact),
    listDisputes: () => mapped(razorpay.listDisputes(), disputeFact),
    // `timeout` is all there is: an order of Razorpay's can be paid for ever, and takes no `expire_by`.
    checkoutOf: ({ id, amountPaise, currency }, { shop, buyer, timeout }) =>
      Promise.resolve({
        gateway: NAME,
        key: keyId,
        order_id: id,
        amount: amountPaise,
        currency,
        name: shop,
        prefill: buyer,
        script: checkoutUrl,
        timeout,
      }),
    readProof: (orderId, proof) => readProof(razorpay, orderId, proof),
    // https://razorpay.com/docs/webhooks/ gives five seconds.
    webhooks: { contentType: 'application/json', answerWithinMs: 5_000 },
    readEvent: (raw, headers) => signedEvent(raw, headers, webhookSecrets),
    openEvent: (raw) => Promise.resolve(raw).then(eventOf),
  }
}

async function* mapped<From, To>(
  pages: AsyncIterable<GatewayPage<From>>,
  map: (item: From) => To,
): AsyncGenerator<GatewayPage<To>> {
  for await (const { items, unreadable } of pages) yield { items: items.map(map), unreadable }
}
