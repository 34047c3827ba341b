import { escapeHtml } from '../html.ts'
import { isExport, isTaxInvoice, placeName, type InvoiceBody } from './invoice-body.ts'
import { day, linesTable, page, row, sides, taxRows } from './printed.ts'
import type { CreditNoteDocument } from './public-invoice.ts'

type Receipt = {
  number: string
  issuedAt: Date
  orderId: string
  body: InvoiceBody
  refundedPaise: number
  notes: readonly Pick<CreditNoteDocument, '_id' | 'number' | 'issuedAt' | 'cancelledAt'>[]
}

/** An invoice as a page to print. */
export function receiptPage({
  number,
  issuedAt,
  orderId,
  body,
  refundedPaise,
  notes,
}: Receipt): string {
  const { lines, totalPaise } = body
  const sums = [
    ...lines.map(({ title, listPaise }) => row(title, listPaise, body)),
    ...discountRow(body),
    ...taxRows(body),
    row('Total', totalPaise, body, 'th'),
    ...(refundedPaise === 0 ? [] : [row('Refunded', -refundedPaise, body)]),
  ]
  return page(
    number,
    `<h1>${isTaxInvoice(body) ? 'Tax invoice' : 'Receipt'}</h1>
<p>${escapeHtml(number)} · ${day(issuedAt)}<br>Order ${escapeHtml(orderId)} · payment ${escapeHtml(body.paymentId)}</p>
${sides(body)}
${terms(body)}
${linesTable(lines, body, sums)}
<p>Paid on ${day(new Date(body.paidAt))}.</p>
${notes.map(noteLink).join('\n')}
<p>Computer generated, and needs no signature.</p>`,
  )
}

/** What the law wants said in words beside the amounts. */
function terms({ placeOfSupply }: InvoiceBody): string {
  if (placeOfSupply === null) return ''
  const said = [
    `Place of supply: ${placeName(placeOfSupply)}`,
    'Tax payable on reverse charge: no',
    ...(isExport({ placeOfSupply })
      ? ['Supply meant for export on payment of integrated tax']
      : []),
    'Original for recipient',
  ]
  return `<p>${said.map(escapeHtml).join('<br>')}</p>`
}

function noteLink({ _id, number, issuedAt, cancelledAt }: Receipt['notes'][number]): string {
  const text = `${number} · ${day(issuedAt)}${cancelledAt ? ', cancelled' : ''}`
  return `<p>Credit note <a href="/receipts/credit-notes/${escapeHtml(_id)}">${escapeHtml(text)}</a></p>`
}

function discountRow(body: InvoiceBody): string[] {
  const discount = body.lines.reduce((sum, { discountPaise }) => sum + discountPaise, 0)
  return discount === 0 ? [] : [row('Discount', -discount, body)]
}
