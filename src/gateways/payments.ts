// The port to payment gateways: all that verify, webhooks, the reconciler, refunds, disputes and the
// invariants know of one. An adapter (razorpay/) knows its vendor's ids, words and signatures, and no room of
// ours. Amounts are integers of the currency's smallest unit (paise).
import { z } from 'zod'
import { type EntityKind, GatewayFailure, type UnreadableEntity } from './gateway-failure.ts'
import { RAZORPAY_FIELDS } from './razorpay/proof-fields.ts'

/** The facts of a gateway carry its name, so that whoever holds one knows where to ask again. */
type Fact = { gateway: string; id: string }

/** What the gateway calls an order or an intent: something of ours that can be paid. */
export type GatewayOrder = Fact & {
  amountPaise: number
  currency: string
  /** The id of our order it was made for; null where nothing of ours is written on it. */
  reference: string | null
}

/**
 * One attempt to pay. `failed` is not final, only `captured` is money, and a part that was given back leaves
 * `captured` standing.
 */
export type GatewayPayment = Fact & {
  /** The gateway's own order, not ours. */
  orderId: string | null
  /** All that was charged: with the fee, where the buyer bears it. */
  amountPaise: number
  /** The gateway's own; null where it is not told (yet). */
  feePaise: number | null
  feeBearer: 'buyer' | 'seller' | null
  currency: string
  status: 'created' | 'authorized' | 'captured' | 'refunded' | 'failed'
  method: string | null
  /** What is only on its way back need not be counted. */
  amountRefundedPaise: number
  errorReason: string | null
  /** By the gateway's clock; where it tells no time, when it was asked. */
  createdAt: Date
  /** When the money was taken, where the gateway tells it. */
  capturedAt: Date | null
}

export type GatewayRefund = Fact & {
  paymentId: string
  amountPaise: number
  currency: string
  status: 'pending' | 'processed' | 'failed'
  /** The idempotency key it was asked for with; null when it was not asked for by us. */
  key: string | null
  createdAt: Date
}

export type GatewayDispute = Fact & {
  paymentId: string
  /** What is disputed; of one that was lost, what the bank took. */
  amountPaise: number
  currency: string
  status: 'open' | 'under_review' | 'won' | 'lost' | 'closed'
  phase: string
  reasonCode: string | null
  respondBy: Date | null
  createdAt: Date
}

/** A webhook whose signature is right, before anybody looks into it. */
export type SignedEvent = {
  /** Names the delivery; the same event comes again under the same id. */
  id: string
  /** In the gateway's own words; `unreadable` where its body says none. */
  type: string
}

/** What a webhook names. It makes us look: what the gateway has under these ids is asked, and nothing believed. */
export type GatewayEvent = {
  /** The gateway's account it is about; null where this one says none, or none that could be one. */
  account: string | null
  paymentId: string | null
  refundId: string | null
  disputeId: string | null
  /** The gateway's own order. */
  orderId: string | null
  /** What it is about and has no id that could be one. */
  unnamed: EntityKind[]
  /** When it happened, by the gateway's clock; null where it does not say. */
  at: Date | null
}

/** A list, or a page of one. What cannot be read is told apart, and hides no other. */
export type GatewayPage<T> = { items: T[]; unreadable: UnreadableEntity[] }

export type Period = { from: Date; to: Date }

/** The smallest amounts the gateway takes, and gives back. */
export type Limits = { leastChargePaise: number; leastRefundPaise: number }

/** What a browser opens the gateway's dialog with, in the names of checkout.js, and where that comes from. */
export type Checkout = {
  /** Whose dialog it is. */
  gateway: string
  key: string
  order_id: string
  amount: number
  currency: string
  name: string
  prefill: { name: string; email: string }
  script: string
  /** Seconds until the dialog closes by itself: the order may not be paid for ever. */
  timeout: number
  /** Opens the dialog of this one order, where its id does not; for its buyer alone. */
  secret?: string
}

/**
 * What a browser may bring back from a dialog. The fields named here are checked for every client; any other
 * is passed on as it came, and each adapter reads its own.
 */
export const CheckoutProof = z.looseObject(RAZORPAY_FIELDS)
export type CheckoutProof = z.infer<typeof CheckoutProof>

/**
 * A payment gateway. Every call that goes over the network has a deadline and rejects with a GatewayFailure
 * and nothing else.
 */
export type PaymentGateway = {
  /** As it is stored on orders, payments and refunds, and stands in the webhook's path: `razorpay`. */
  name: string
  /** Names our credentials: what was learned with one key is not believed of another. */
  keyId: string
  /** Null for a currency that it does not take. */
  limits: (currency: string) => Limits | null
  /** False where the money of an authorized payment does not come before we ask for it. */
  capturesByItself: boolean

  /**
   * Makes something that can be paid for our order. A lost answer is looked up by our id; a reference that
   * stands for another amount is a `conflict`.
   */
  createOrder: (order: {
    reference: string
    amountPaise: number
    currency: string
  }) => Promise<GatewayOrder>
  /** By our order's id. Lists may lag behind by minutes: null does not prove that there is none. */
  findOrder: (reference: string) => Promise<GatewayOrder | null>
  fetchOrder: (orderId: string) => Promise<GatewayOrder>
  paymentsOfOrder: (orderId: string) => Promise<GatewayPage<GatewayPayment>>
  /** Fails with `unreadable` where there is such a payment and it cannot be read; so do the other two. */
  fetchPayment: (paymentId: string) => Promise<GatewayPayment>
  /**
   * Takes the money of an authorized payment, of which `ownPaise` is the order's. Captured already is success; a
   * lost answer is looked up.
   */
  capturePayment: (
    payment: Pick<GatewayPayment, 'id' | 'amountPaise' | 'currency'> & { ownPaise: number },
  ) => Promise<GatewayPayment>

  /** `key` is 10 to 40 of A-Z a-z 0-9 _ -; the same key and amount give the same refund, however often. */
  refundPayment: (refund: {
    paymentId: string
    amountPaise: number
    key: string
    /** Written on the refund, for whoever reads the gateway's dashboard. */
    notes: Record<string, string>
  }) => Promise<GatewayRefund>
  refundsOfPayment: (paymentId: string) => Promise<GatewayPage<GatewayRefund>>
  fetchRefund: (refundId: string) => Promise<GatewayRefund>
  fetchDispute: (disputeId: string) => Promise<GatewayDispute>

  /** By creation, newest first, page by page. */
  listPayments: (period: Period) => AsyncIterable<GatewayPage<GatewayPayment>>
  listRefunds: (period: Period) => AsyncIterable<GatewayPage<GatewayRefund>>
  listDisputes: () => AsyncIterable<GatewayPage<GatewayDispute>>

  /** May have to ask the gateway, for what is not stored here. */
  checkoutOf: (
    order: Pick<GatewayOrder, 'id' | 'amountPaise' | 'currency'>,
    shown: { shop: string; buyer: { name: string; email: string }; timeout: number },
  ) => Promise<Checkout>
  /**
   * The payment that a browser's answer proves to be of this gateway's order, or `paymentId: null` where its
   * browser proves nothing and the order has to be asked about. Null when the proof is wrong; throws
   * INVALID_INPUT for what is no proof at all.
   */
  readProof: (orderId: string, proof: CheckoutProof) => { paymentId: string | null } | null

  /** How its webhooks come, and after how long it counts an answer as none. */
  webhooks: { contentType: string; answerWithinMs: number }
  /** A webhook as it came: checked over its raw bytes, and null unless it is signed for us. */
  readEvent: (raw: Buffer, headers: EventHeaders) => SignedEvent | null
  /** What a stored event names; null when it is about no payment. */
  openEvent: (raw: string) => GatewayEvent | null
}

/** A header by its lower-case name. */
export type EventHeaders = (name: string) => string | undefined

/** The gateways that are configured. */
export type PaymentGateways = {
  all: readonly PaymentGateway[]
  /** Takes the money of new orders. */
  forNewOrders: PaymentGateway
  /** Whether one of this name is configured; orders may outlive theirs. */
  has: (name: string) => boolean
  /** The one an order, payment or refund names; fails as `unreachable` when it is configured no more. */
  named: (name: string) => PaymentGateway
}

/** The first takes the money of new orders; the others are there for orders of theirs. */
export function openGateways(
  forNewOrders: PaymentGateway,
  ...others: PaymentGateway[]
): PaymentGateways {
  const all = [forNewOrders, ...others]
  return {
    all,
    forNewOrders,
    has: (name) => all.some((one) => one.name === name),
    named: (name) => {
      const gateway = all.find((one) => one.name === name)
      if (gateway) return gateway
      throw new GatewayFailure({
        gateway: name,
        kind: 'unreachable',
        description: 'is not configured here',
        retryable: true,
        unsent: true,
      })
    },
  }
}
