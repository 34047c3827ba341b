import type { OrderDocument } from '../../../src/orders/order.ts'
import type { RefundDocument } from '../../../src/orders/refunded.ts'
import type { PaymentDocument } from '../../../src/payments/record/payments.ts'
import type { LedgerOrder } from '../../support/ledger.ts'
import type { World } from './world.ts'

/** Our books and the bank's ledger, side by side. */
export type Books = {
  orders: Map<string, OrderDocument>
  payments: Map<string, PaymentDocument>
  refunds: RefundDocument[]
  ledger: LedgerOrder[]
}

/** Both as they are now. */
export async function readBooks({ lms, bank }: World): Promise<Books> {
  const [orders, payments, refunds] = await Promise.all([
    lms.db.orm.orders.where({}).all(),
    lms.db.orm.payments.where({}).all(),
    lms.db.orm.refunds.where({}).all(),
  ])
  return {
    orders: new Map(orders.map((order) => [order._id, order])),
    payments: new Map(payments.map((payment) => [payment.gatewayPaymentId, payment])),
    refunds,
    ledger: bank.ledger().orders,
  }
}
