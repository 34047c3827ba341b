// Razorpay behind the port: our orders are its receipts, our idempotency keys its refunds' receipts.
import { GatewayFailure } from '../gateway-failure.ts'
import type { GatewayPage, PaymentGateway } from '../payments.ts'
import { openRazorpay, type Razorpay, type RazorpayOptions } from './client.ts'
import { eventOf, signedEvent } from './events.ts'
import { readProof } from './proof.ts'
import { disputeFact, orderFact, paymentFact, refundFact, type FactOf } from './facts.ts'
import { NAME } from './name.ts'
import { isOtherAmount } from './refusals.ts'
import type { RazorpayPayment } from './shapes.ts'

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
  const { keyId, webhookSecrets, checkoutUrl, now } = options
  const razorpay = openRazorpay(options)
  const page = <From, To>({ items, unreadable }: GatewayPage<From>, factOf: FactOf<From, To>) => {
    const askedAt = now()
    return { items: items.map((item) => factOf(item, askedAt)), unreadable }
  }
  async function* pages<From, To>(
    all: AsyncIterable<GatewayPage<From>>,
    factOf: FactOf<From, To>,
  ): AsyncGenerator<GatewayPage<To>> {
    for await (const one of all) yield page(one, factOf)
  }
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
    paymentsOfOrder: async (id) => page(await razorpay.paymentsOfOrder(id), paymentFact),
    fetchPayment: async (id) => paymentFact(await razorpay.fetchPayment(id), now()),
    capturePayment: async (payment) => paymentFact(await capture(razorpay, payment), now()),
    refundPayment: async (refund) => refundFact(await razorpay.refundPayment(refund), now()),
    refundsOfPayment: async (id) => page(await razorpay.refundsOfPayment(id), refundFact),
    fetchRefund: async (id) => refundFact(await razorpay.fetchRefund(id), now()),
    fetchDispute: async (id) => disputeFact(await razorpay.fetchDispute(id), now()),
    listPayments: (period) => pages(razorpay.listPayments(period), paymentFact),
    listRefunds: (period) => pages(razorpay.listRefunds(period), refundFact),
    listDisputes: () => pages(razorpay.listDisputes(), disputeFact),
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
    openEvent: eventOf,
  }
}

type Held = Parameters<PaymentGateway['capturePayment']>[0]

/**
 * Asks for the order's own amount, as https://razorpay.com/docs/api/payments/capture/ has it; where a buyer bears the
 * fee, merchants were told to ask for all that is authorized (razorpay-java#60). A refusal for the amount takes
 * nothing, so the other one is tried then.
 */
async function capture(
  razorpay: Razorpay,
  { id: paymentId, ownPaise, amountPaise, currency }: Held,
): Promise<RazorpayPayment> {
  try {
    return await razorpay.capturePayment({ paymentId, amountPaise: ownPaise, currency })
  } catch (failure) {
    const isOther = failure instanceof GatewayFailure && isOtherAmount(failure.description)
    if (!isOther || ownPaise === amountPaise) throw failure
    return razorpay.capturePayment({ paymentId, amountPaise, currency })
  }
}
