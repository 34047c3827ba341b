import { Router, type Request, type Response } from 'express'
import { requireActor } from '../context.ts'
import type { Deps } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { Id } from '../fields.ts'
import { sumOf } from '../money.ts'
import { requireOrder } from '../orders/order.ts'
import { standingRefunds } from '../orders/refunded.ts'
import { CreditNoteBody } from './credit-note-body.ts'
import { creditNotePage } from './credit-note-page.ts'
import { InvoiceBody } from './invoice-body.ts'
import { receiptPage } from './receipt-page.ts'

const MOST_NOTES = 200

/**
 * GET /:orderId: the invoice as a page to print, and GET /credit-notes/:id: a credit note, for their buyer and for
 * administrators. Throws UNAUTHENTICATED, TOO_MANY_REQUESTS, and NOT_FOUND also for what is another's or not paid for.
 */
export function receipts(deps: Deps): Router {
  const router = Router()
  router.get('/:orderId', async (req, res) => {
    const { id: orderId, isTheirs } = await asked(deps, { req, res, id: req.params.orderId })
    const order = await requireOrder(deps, orderId)
    if (!isTheirs(order)) throw new DomainError('NOT_FOUND')
    const [invoice, refunds, notes] = await Promise.all([
      deps.db.orm.invoices.where({ orderId }).first(),
      deps.db.orm.refunds.where({ orderId, status: 'PROCESSED' }).all(),
      deps.db.orm.credit_notes.where({ orderId }).orderBy({ place: 1 }).limit(MOST_NOTES).all(),
    ])
    if (!invoice) throw new DomainError('NOT_FOUND')
    sendPage(
      res,
      receiptPage({
        number: invoice.number,
        issuedAt: invoice.issuedAt,
        orderId,
        body: InvoiceBody.parse(invoice.body),
        refundedPaise: sumOf(standingRefunds(refunds, order.paymentId)),
        notes,
      }),
    )
  })
  router.get('/credit-notes/:id', async (req, res) => {
    const { id, isTheirs } = await asked(deps, { req, res, id: req.params.id })
    const note = await deps.db.orm.credit_notes.where({ _id: id }).first()
    if (!note || !isTheirs(note)) throw new DomainError('NOT_FOUND')
    const { number, issuedAt, cancelledAt, orderId } = note
    const body = CreditNoteBody.parse(note.body)
    sendPage(
      res,
      creditNotePage({ number, issuedAt, cancelledAt: cancelledAt ?? null, orderId, body }),
    )
  })
  return router
}

type Asked = { req: Request; res: Response; id: string | undefined }

/** Who asks comes before what for: a stranger learns nothing of ids. */
async function asked(deps: Deps, { req, res, id }: Asked) {
  const actor = await requireActor(deps, req, res)
  const given = Id.safeParse(id).data
  if (given === undefined) throw new DomainError('NOT_FOUND')
  const isTheirs = ({ userId }: { userId: string }) => userId === actor.id || actor.role === 'ADMIN'
  return { id: given, isTheirs }
}

function sendPage(res: Response, html: string): void {
  res
    .set(
      'content-security-policy',
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
    .set('cache-control', 'private, no-store')
    .type('html')
    .send(html)
}
