import type { WebhookEvent } from './account.ts'
import type { DisputeEntity, OrderEntity, PaymentEntity, RefundEntity } from './entities.ts'

/** `payment.…`, or `order.paid` where the order comes with it. */
export function paymentEvent(
  name: string,
  payment: PaymentEntity,
  order?: OrderEntity,
): WebhookEvent {
  return {
    name,
    payload: {
      payment: { entity: paymentCopy(payment) },
      ...(order === undefined
        ? {}
        : { order: { entity: { ...order, description: null, checkout: null } } }),
    },
  }
}

/** `refund.…`, with the payment as the refund left it. */
export function refundEvent(
  name: string,
  refund: RefundEntity,
  payment: PaymentEntity,
): WebhookEvent {
  return {
    name,
    payload: { refund: { entity: { ...refund } }, payment: { entity: paymentCopy(payment) } },
  }
}

/** `payment.dispute.…`, with the payment it is about. */
export function disputeEvent(
  name: string,
  dispute: DisputeEntity,
  payment: PaymentEntity,
): WebhookEvent {
  return {
    name,
    payload: { payment: { entity: paymentCopy(payment) }, dispute: { entity: { ...dispute } } },
  }
}

// Copies, since an event shows the moment it happened in and not the moment it is sent in.
function paymentCopy(payment: PaymentEntity): Record<string, unknown> {
  return { ...payment, base_amount: payment.amount, reward: null }
}
