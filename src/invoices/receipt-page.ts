import { escapeHtml } from '../html.ts'
import type { InvoiceBody } from './invoices.ts'

type Receipt = {
  number: string
  issuedAt: Date
  orderId: string
  body: InvoiceBody
  refundedPaise: number
}

const STYLE = `
  body { font: 15px/1.5 system-ui, sans-serif; color: #111; margin: 2rem auto; max-width: 44rem; padding: 0 1rem }
  table { border-collapse: collapse; width: 100%; margin: 1.5rem 0 }
  th, td { text-align: left; padding: .4rem 0; border-bottom: 1px solid #ddd }
  td + td, th + th { text-align: right }
  .sides { display: flex; justify-content: space-between; gap: 2rem }
  @media print { body { margin: 0 } }
`

/** Every text on it was typed by somebody, so every text is escaped. */
export function receiptPage({ number, issuedAt, orderId, body, refundedPaise }: Receipt): string {
  const { seller, buyer, lines, totalPaise, taxablePaise, taxes } = body
  const rows = [
    ...lines.map(({ title, listPaise }) => row(title, listPaise)),
    ...discountRow(body),
    ...(taxablePaise === null ? [] : [row('Taxable value', taxablePaise)]),
    ...taxes.map(({ name, percent, amountPaise }) => row(`${name} ${percent} %`, amountPaise)),
    row('Total', totalPaise, 'th'),
    ...(refundedPaise === 0 ? [] : [row('Refunded', -refundedPaise)]),
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(number)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${seller.gstin === null ? 'Receipt' : 'Tax invoice'}</h1>
<p>${escapeHtml(number)} · ${DATE.format(issuedAt)}<br>Order ${escapeHtml(orderId)} · payment ${escapeHtml(body.paymentId)}</p>
<div class="sides">
<p><strong>From</strong><br>${party([seller.name, seller.state, gstin(seller.gstin)])}</p>
<p><strong>To</strong><br>${party([buyer.name, buyer.address, buyer.state, buyer.email, gstin(buyer.gstin)])}</p>
</div>
<table>
<tr><th>Description</th><th>Amount</th></tr>
${rows.join('\n')}
</table>
<p>Paid on ${DATE.format(new Date(body.paidAt))}.</p>
</body>
</html>
`
}

function discountRow({ lines }: InvoiceBody): string[] {
  const discount = lines.reduce((sum, { discountPaise }) => sum + discountPaise, 0)
  return discount === 0 ? [] : [row('Discount', -discount)]
}

function row(label: string, paise: number, cell: 'td' | 'th' = 'td'): string {
  return `<tr><${cell}>${escapeHtml(label)}</${cell}><${cell}>${rupees(paise)}</${cell}></tr>`
}

function party(texts: (string | null)[]): string {
  return texts
    .filter((text) => text !== null && text !== '')
    .map((text) => escapeHtml(text ?? ''))
    .join('<br>')
}

function gstin(value: string | null): string | null {
  return value === null ? null : `GSTIN ${value}`
}

const RUPEES = new Intl.NumberFormat('en-IN', { style: 'currency', currency: 'INR' })
const DATE = new Intl.DateTimeFormat('en-IN', { dateStyle: 'long', timeZone: 'Asia/Kolkata' })

function rupees(paise: number): string {
  return escapeHtml(RUPEES.format(paise / 100))
}
