import { escapeHtml } from '../html.ts'
import type { CreditNoteBody } from './credit-note-body.ts'
import { placeName } from './invoice-body.ts'
import { day, linesTable, page, row, sides, taxRows } from './printed.ts'

type Note = {
  number: string
  issuedAt: Date
  cancelledAt: Date | null
  orderId: string
  body: CreditNoteBody
}

/** A credit note as a page to print. */
export function creditNotePage({ number, issuedAt, cancelledAt, orderId, body }: Note): string {
  const { invoiceNumber, invoiceIssuedAt, isOfTaxInvoice, placeOfSupply, lines, totalPaise } = body
  const paper = isOfTaxInvoice ? 'tax invoice' : 'receipt'
  const sums = [...taxRows(body), row('Credited', totalPaise, body, 'th')]
  return page(
    number,
    `<h1>Credit note</h1>
${cancelledAt ? `<p class="void"><strong>Cancelled on ${day(cancelledAt)}: the refund failed.</strong></p>` : ''}
<p>${escapeHtml(number)} · ${day(issuedAt)}<br>Against ${paper} ${escapeHtml(invoiceNumber)} of ${day(new Date(invoiceIssuedAt))} · order ${escapeHtml(orderId)}</p>
${sides(body)}
${placeOfSupply === null ? '' : `<p>Place of supply: ${escapeHtml(placeName(placeOfSupply))}</p>`}
${linesTable(lines, body, sums)}
<p>Refunded on ${day(new Date(body.refundedAt))} to payment ${escapeHtml(body.paymentId)}.</p>
<p>Computer generated, and needs no signature.</p>`,
  )
}
