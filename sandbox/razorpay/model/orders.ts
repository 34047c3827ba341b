import type { Account, OrderRow } from './account.ts'
import type { OrderEntity, PaymentEntity } from './entities.ts'
import { isId, newId, unixSeconds } from './entities.ts'
import type { Body } from './fields.ts'
import { readAmount, readCapture, readCurrency, readNotes, readReceipt } from './fields.ts'
import type { Collection } from './collections.ts'
import { collect, listPage, refuseExtraQuery } from './collections.ts'
import { Refusal, refuseExtraFields } from './refusal.ts'

const CREATE_FIELDS = [
  'amount',
  'currency',
  'receipt',
  'notes',
  'payment',
  'partial_payment',
  'unique_receipt',
]

/** POST /orders: `amount` in paise, a rupee at least; what a receipt used before gets is a setting. */
export function createOrder(account: Account, body: Body): OrderEntity {
  refuseExtraFields(body, CREATE_FIELDS)
  const amount = readAmount(body['amount'])
  if (amount < 100) {
    throw new Refusal('Order amount less than minimum amount allowed', {
      field: 'amount',
      step: 'order_creation',
      reason: 'amount_less_than_minimum_amount',
    })
  }
  const currency = readCurrency(body['currency'])
  const receipt = readReceipt(body['receipt'])
  const notes = readNotes(body['notes'])
  const capture = readCapture(body['payment'])
  const mode = body['unique_receipt'] === true ? 'same' : account.settings.receipts
  const twin = receipt === null ? undefined : findByReceipt(account, receipt)
  if (twin && mode === 'reject') {
    throw new Refusal('Order receipt should be unique.', {
      field: 'receipt',
      step: 'order_creation',
    })
  }
  if (twin && mode === 'same') return twin.order
  const now = account.now()
  const order: OrderEntity = {
    id: newId('order'),
    entity: 'order',
    amount,
    amount_paid: 0,
    amount_due: amount,
    currency,
    receipt,
    offer_id: null,
    status: 'created',
    attempts: 0,
    notes,
    created_at: unixSeconds(now),
  }
  account.orders.set(order.id, { order, createdMs: now.getTime(), capture })
  return order
}

/** GET /orders, by receipt or by whether a payment is authorised. */
export function listOrders(account: Account, query: URLSearchParams): Collection<OrderEntity> {
  refuseExtraQuery(query, ['receipt', 'authorized'])
  const receipt = query.get('receipt')
  const authorized = query.get('authorized')
  const rows = [...account.orders.values()].filter(
    ({ order }) =>
      (receipt === null || order.receipt === receipt) &&
      (authorized === null || hasAuthorized(account, order.id) === (authorized === '1')),
  )
  return collect(listPage(account, rows, query).map(({ order }) => order))
}

/** The order of this id, or what Razorpay answers to a wrong one. */
export function requireOrder(account: Account, id: string): OrderRow {
  if (!isId('order', id)) throw new Refusal(`${id} is not a valid id`)
  const row = account.orders.get(id)
  if (!row) throw new Refusal('The id provided does not exist')
  return row
}

/** PATCH /orders/:id: the notes alone. */
export function editOrder(account: Account, id: string, body: Body): OrderEntity {
  const { order } = requireOrder(account, id)
  refuseExtraFields(body, ['notes'])
  order.notes = readNotes(body['notes'])
  return order
}

/** Attempts that reached the bank, newest first; this list does not lag. */
export function paymentsOfOrder(account: Account, id: string): PaymentEntity[] {
  return [...account.payments.values()]
    .map(({ payment }) => payment)
    .filter(({ order_id, status }) => order_id === id && status !== 'created')
    .reverse()
}

function findByReceipt(account: Account, receipt: string): OrderRow | undefined {
  return [...account.orders.values()].find(({ order }) => order.receipt === receipt)
}

function hasAuthorized(account: Account, orderId: string): boolean {
  return paymentsOfOrder(account, orderId).some(({ status }) => status !== 'failed')
}
