import type { WebhookEvent } from '../model/account.ts'
import type { DisputeEntity, OrderEntity, PaymentEntity, RefundEntity } from '../model/entities.ts'

export function emitPayment(
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

export function emitRefund(
  name: string,
  refund: RefundEntity,
  payment: PaymentEntity,
): WebhookEvent {
  return {
    name,
    payload: { refund: { entity: { ...refund } }, payment: { entity: paymentCopy(payment) } },
  }
}

export function emitDispute(
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
