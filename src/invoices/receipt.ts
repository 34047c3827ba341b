import { Router } from 'express'
import { requireActor } from '../context.ts'
import type { Deps } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { Id } from '../fields.ts'
import { sumOf } from '../money.ts'
import { requireOrder } from '../orders/order.ts'
import { standingRefunds } from '../orders/refunded.ts'
import { InvoiceBody } from './invoices.ts'
import { receiptPage } from './receipt-page.ts'

/**
 * GET /:orderId: the invoice as a page to print, for its buyer and for administrators. Throws
 * UNAUTHENTICATED, TOO_MANY_REQUESTS, and NOT_FOUND also for what is another's or not paid for.
 */
export function receipts(deps: Deps): Router {
  const router = Router()
  router.get('/:orderId', async (req, res) => {
    const actor = await requireActor(deps, req, res)
    const orderId = Id.safeParse(req.params.orderId).data
    if (orderId === undefined) throw new DomainError('NOT_FOUND')
    const order = await requireOrder(deps, orderId)
    if (order.userId !== actor.id && actor.role !== 'ADMIN') throw new DomainError('NOT_FOUND')
    const [invoice, refunds] = await Promise.all([
      deps.db.orm.invoices.where({ orderId }).first(),
      deps.db.orm.refunds.where({ orderId, status: 'PROCESSED' }).all(),
    ])
    if (!invoice) throw new DomainError('NOT_FOUND')
    res
      .set(
        'content-security-policy',
        "default-src 'none'; object-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      )
      .set('cache-control', 'private, no-store')
      .type('html')
      .send(
        receiptPage({
          number: invoice.number,
          issuedAt: invoice.issuedAt,
          orderId,
          body: InvoiceBody.parse(invoice.body),
          refundedPaise: sumOf(standingRefunds(refunds, order.paymentId)),
        }),
      )
  })
  return router
}
