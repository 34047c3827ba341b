// A processed refund of what an invoice charges has a credit note, under a number of a series of its own. It bears the day
// on which it is issued, since that month's return takes it in. A lost dispute has none: the bank took the money, and the
// seller, who still owes the tax, agreed to nothing.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import type { Uses } from '../deps.ts'
import type { OrderDocument } from '../orders/order.ts'
import type { RefundDocument } from '../orders/refunded.ts'
import { CreditNoteBody, creditNoteBodyOf } from './credit-note-body.ts'
import { InvoiceBody } from './invoice-body.ts'
import { findInvoice, type InvoiceDocument } from './invoices.ts'
import { financialYear, issueNumbered } from './numbers.ts'

type Needs = Uses<'db' | 'now'>

/**
 * Issues the credit note of a processed refund, once. None where there is no invoice, or where the money is of another
 * payment, which bought nothing. A refund that fails meanwhile has its note cancelled by whoever sees the other's write.
 */
export async function issueCreditNote(deps: Needs, refund: RefundDocument): Promise<void> {
  const invoice = refund.orderId ? await findInvoice(deps, refund.orderId) : null
  if (!invoice || InvoiceBody.parse(invoice.body).paymentId !== refund.paymentId) return
  await closeInvoice(deps, invoice)
  await insertNote(deps, invoice, refund)
  const current = await deps.db.orm.refunds.where({ _id: refund._id }).select('status').first()
  if (current?.status === 'FAILED') await cancelCreditNote(deps, refund)
}

/** For an invoice just issued: money of it may have gone back before. */
export async function creditEarlierRefunds(deps: Needs, order: OrderDocument): Promise<void> {
  const refunds = await deps.db.orm.refunds.where({ orderId: order._id, status: 'PROCESSED' }).all()
  for (const refund of refunds) await issueCreditNote(deps, refund)
}

/** Takes back the credit note of a refund that failed after all; its number stays. */
export async function cancelCreditNote(
  deps: Needs,
  { _id }: Pick<RefundDocument, '_id'>,
): Promise<void> {
  await deps.db.orm.credit_notes
    .where({ refundId: _id })
    .where(MongoFieldFilter.isNull('cancelledAt'))
    .update({ cancelledAt: deps.now() })
}

/** From here on its taxes are what credit notes take back, so nobody may change the buyer's place any more. */
async function closeInvoice({ db, now }: Needs, { _id }: InvoiceDocument): Promise<void> {
  await db.orm.invoices
    .where({ _id })
    .where(MongoFieldFilter.isNull('closedAt'))
    .update({ closedAt: now() })
}

async function insertNote(
  deps: Needs,
  { orderId }: InvoiceDocument,
  refund: RefundDocument,
): Promise<void> {
  const { credit_notes: notes } = deps.db.orm
  const issuedAt = deps.now()
  const series = financialYear(issuedAt)
  await issueNumbered(deps, {
    prefix: 'CRN',
    series,
    isIssued: async () =>
      (await notes.where({ refundId: refund._id }).select('_id').first()) !== null,
    last: async () => {
      const last = await notes.where({ series }).orderBy({ serial: -1 }).select('serial').first()
      return last?.serial ?? 0
    },
    issue: async (number, serial) => {
      // Read after it was closed, and again at each attempt: a place is taken by whoever has seen all before it.
      const [invoice, earlier] = await Promise.all([
        findInvoice(deps, orderId),
        notes.where({ orderId }).all(),
      ])
      if (!invoice) throw new Error(`the invoice of order ${orderId} is gone`)
      const standing = earlier.filter(({ cancelledAt }) => !cancelledAt)
      const body = creditNoteBodyOf(
        { ...invoice, body: InvoiceBody.parse(invoice.body) },
        refund,
        standing.map((note) => CreditNoteBody.parse(note.body)),
      )
      await notes.create({
        number,
        series,
        serial,
        refundId: refund._id,
        orderId,
        place: earlier.length + 1,
        userId: invoice.userId,
        body,
        issuedAt,
        cancelledAt: null,
      })
    },
  })
}
