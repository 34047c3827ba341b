import type { Account } from '../model/account.ts'
import { requireDispute } from '../model/disputes.ts'
import type { Body } from '../model/fields.ts'
import { collect, listPage, refuseExtraQuery } from '../model/collections.ts'
import {
  createOrder,
  editOrder,
  listOrders,
  paymentsOfOrder,
  requireOrder,
} from '../model/orders.ts'
import { capturePayment, editPayment, requirePayment } from '../model/payments.ts'
import { createRefund, editRefund, requireRefund } from '../model/refunds.ts'
import { Refusal } from '../model/refusal.ts'
import { createWebhook, listWebhooks } from '../webhooks/endpoints.ts'

/** What a route is called with. */
export type Call = {
  id: string
  refundId: string
  query: URLSearchParams
  body: Body
  /** The X-Refund-Idempotency header. */
  key: string | undefined
}

type Route = {
  name: string
  method: string
  pattern: RegExp
  run: (account: Account, call: Call) => unknown
}

const ROUTES: readonly Route[] = [
  route('POST /orders', (account, { body }) => createOrder(account, body)),
  route('GET /orders', (account, { query }) => listOrders(account, query)),
  route('GET /orders/:id', (account, { id }) => requireOrder(account, id).order),
  route('PATCH /orders/:id', (account, { id, body }) => editOrder(account, id, body)),
  route('GET /orders/:id/payments', (account, { id }) => {
    requireOrder(account, id)
    return collect(paymentsOfOrder(account, id))
  }),
  route('GET /payments', (account, { query }) => {
    refuseExtraQuery(query, [])
    const rows = [...account.payments.values()]
    return collect(listPage(account, rows, query).map(({ payment }) => payment))
  }),
  route('GET /payments/:id', (account, { id }) => requirePayment(account, id).payment),
  route('PATCH /payments/:id', (account, { id, body }) => editPayment(account, id, body)),
  route('POST /payments/:id/capture', (account, { id, body }) => capturePayment(account, id, body)),
  route('POST /payments/:id/refund', (account, { id, body, key }) =>
    createRefund(account, { paymentId: id, body, key }),
  ),
  route('GET /payments/:id/refunds', (account, { id, query }) => {
    requirePayment(account, id)
    return listRefunds(account, query, id)
  }),
  route('GET /payments/:id/refunds/:refund', (account, { id, refundId }) => {
    requirePayment(account, id)
    const refund = requireRefund(account, refundId)
    if (refund.payment_id !== id) throw new Refusal('The id provided does not exist')
    return refund
  }),
  route('GET /refunds', (account, { query }) => listRefunds(account, query)),
  route('GET /refunds/:id', (account, { id }) => requireRefund(account, id)),
  route('PATCH /refunds/:id', (account, { id, body }) => editRefund(account, id, body)),
  route('GET /disputes', (account, { query }) => {
    refuseExtraQuery(query, [])
    const rows = [...account.disputes.values()]
    return collect(listPage(account, rows, query).map(({ dispute }) => dispute))
  }),
  route('GET /disputes/:id', (account, { id }) => requireDispute(account, id)),
  route('POST /webhooks', (account, { body }) => createWebhook(account, body)),
  route('GET /webhooks', (account) => listWebhooks(account)),
]

/** A route with the ids that stood in the path, each '' where there was none. */
export type Matched = { route: Route; id: string; refundId: string }

/** The route of a method and a path without /v1; what Razorpay does not have is refused. */
export function matchRoute(method: string, path: string): Matched {
  for (const one of ROUTES) {
    const found = one.method === method ? one.pattern.exec(path) : null
    if (found) return { route: one, id: found[1] ?? '', refundId: found[2] ?? '' }
  }
  // Merchant keys may create and list webhooks, nothing more: seen to answer 404 and not 400.
  const status = /^\/webhooks\/[^/]+$/.test(path) ? 404 : 400
  throw new Refusal('The requested URL was not found on the server.', { status })
}

function route(name: string, run: Route['run']): Route {
  const [method = '', path = ''] = name.split(' ')
  return { name, method, pattern: new RegExp(`^${path.replace(/:\w+/g, '([^/]+)')}$`), run }
}

function listRefunds(account: Account, query: URLSearchParams, paymentId?: string): unknown {
  refuseExtraQuery(query, [])
  const rows = [...account.refunds.values()].filter(
    ({ refund }) => paymentId === undefined || refund.payment_id === paymentId,
  )
  return collect(listPage(account, rows, query).map(({ refund }) => refund))
}
