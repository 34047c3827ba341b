// What invoices and credit notes are printed with. Every text on them was typed by somebody, so every text is escaped.
import { escapeHtml } from '../html.ts'
import type { InvoiceBody } from './invoice-body.ts'
import type { TaxPart } from './tax.ts'

const STYLE = `
  body { font: 15px/1.5 system-ui, sans-serif; color: #111; margin: 2rem auto; max-width: 54rem; padding: 0 1rem }
  table { border-collapse: collapse; width: 100%; margin: 1.5rem 0 }
  th, td { text-align: left; padding: .4rem .6rem .4rem 0; border-bottom: 1px solid #ddd; vertical-align: top }
  td:last-child, th:last-child, .sum { text-align: right }
  .sides { display: flex; justify-content: space-between; gap: 2rem }
  .void { color: #b00020 }
  @media print { body { margin: 0 } }
`

/** A whole page: `title` is text, the rest is HTML. */
export function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${content}
</body>
</html>
`
}

/** Who sells and who buys. */
export function sides({ seller, buyer }: Pick<InvoiceBody, 'seller' | 'buyer'>): string {
  return `<div class="sides">
<p><strong>From</strong><br>${party([seller.name, seller.address, seller.state, gstin(seller.gstin)])}</p>
<p><strong>To</strong><br>${party([buyer.name, buyer.address, buyer.state, buyer.email, gstin(buyer.gstin)])}</p>
</div>`
}

type Row = {
  title: string
  sac: string | null
  gstPercent: number | null
  amountPaise: number
  taxablePaise: number | null
  taxes: readonly TaxPart[]
}
type Money = { currency: string }

/** The lines with the tax within each, or with their amounts alone where no tax is shown. */
export function linesTable(
  lines: readonly Row[],
  { currency }: Money,
  sums: readonly string[],
): string {
  const isTaxed = lines.some(({ taxablePaise }) => taxablePaise !== null)
  const names = [...new Set(lines.flatMap(({ taxes }) => taxes.map(({ name }) => name)))]
  const columns = isTaxed
    ? ['Description', 'SAC', 'Taxable value', ...names, 'Amount']
    : ['Description', 'Amount']
  const cells = ({ title, sac, amountPaise, taxablePaise, taxes }: Row) => [
    title,
    ...(isTaxed ? [sac ?? '', money(taxablePaise ?? amountPaise, currency)] : []),
    ...names.map((name) => taxCell(taxes, name, currency)),
    money(amountPaise, currency),
  ]
  return `<table>
<tr>${columns.map((name) => `<th>${escapeHtml(name)}</th>`).join('')}</tr>
${lines
  .map(
    (line) =>
      `<tr>${cells(line)
        .map((text) => `<td>${escapeHtml(text)}</td>`)
        .join('')}</tr>`,
  )
  .join('\n')}
</table>
<table>
${sums.join('\n')}
</table>`
}

function taxCell(taxes: readonly TaxPart[], name: string, currency: string): string {
  const part = taxes.find((tax) => tax.name === name)
  return part ? `${part.percent} %: ${money(part.amountPaise, currency)}` : ''
}

/** The sums of the taxes, each by its name and rate. */
export function taxRows({
  taxablePaise,
  taxes,
  currency,
}: Pick<InvoiceBody, 'taxablePaise' | 'taxes' | 'currency'>): string[] {
  if (taxablePaise === null) return []
  return [
    row('Taxable value', taxablePaise, { currency }),
    ...taxes.map(({ name, percent, amountPaise }) =>
      row(`${name} ${percent} %`, amountPaise, { currency }),
    ),
  ]
}

/** A sum and what it is of. */
export function row(
  label: string,
  paise: number,
  { currency }: Money,
  cell: 'td' | 'th' = 'td',
): string {
  return `<tr><${cell}>${escapeHtml(label)}</${cell}><${cell}>${escapeHtml(money(paise, currency))}</${cell}></tr>`
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

const DATE = new Intl.DateTimeFormat('en-IN', { dateStyle: 'long', timeZone: 'Asia/Kolkata' })

/** The day it is in India at that moment. */
export function day(at: Date): string {
  return DATE.format(at)
}

function money(paise: number, currency: string): string {
  return new Intl.NumberFormat('en-IN', { style: 'currency', currency }).format(paise / 100)
}
