import type { UserDocument } from '../auth/user.ts'
import type { Stored } from '../db.ts'
import type { Uses } from '../deps.ts'
import type { OrderDocument } from '../orders/order.ts'
import { invoiceBodyOf } from './invoice-body.ts'
import { financialYear, issueNumbered } from './numbers.ts'

export type InvoiceDocument = Stored<'invoices'>

type Needs = Uses<'db' | 'now' | 'settings'>

/**
 * Issues the invoice of a paid order to its buyer, once. It bears the day on which the buyer paid, however late we
 * heard of it, and takes the next number of that day's financial year.
 */
export async function issueInvoice(
  deps: Needs,
  order: OrderDocument,
  buyer: UserDocument | null,
): Promise<void> {
  const { _id: orderId, userId, paymentId } = order
  if (!paymentId || order.amountPaise === 0) return
  const issuedAt = order.paidAt ?? deps.now()
  const series = financialYear(issuedAt)
  const body = invoiceBodyOf(deps, order, { buyer, paymentId, paidAt: issuedAt })
  const { invoices } = deps.db.orm
  await issueNumbered(deps, {
    prefix: 'INV',
    series,
    isIssued: async () => (await findInvoice(deps, orderId)) !== null,
    last: async () => {
      const last = await invoices.where({ series }).orderBy({ serial: -1 }).select('serial').first()
      return last?.serial ?? 0
    },
    issue: async (number, serial) => {
      await invoices.create({
        number,
        series,
        serial,
        orderId,
        userId,
        body,
        issuedAt,
        billedAt: null,
        issuedBody: null,
        closedAt: null,
      })
    },
  })
}

/** The invoice of an order; null where nothing was paid for it. */
export function findInvoice({ db }: Uses<'db'>, orderId: string): Promise<InvoiceDocument | null> {
  return Promise.resolve(db.orm.invoices.where({ orderId }).first())
}
