// What stands on a credit note, as Section 34 of the CGST Act and Rule 53 ask: the invoice it takes back from, and of each
// line the value and the tax. Over all credit notes of an invoice, no line has more taken back than it was sold for, and
// one that is taken back whole has exactly its tax taken back.
import { z } from 'zod'
import { shareOut, sumOf } from '../money.ts'
import type { RefundDocument } from '../orders/refunded.ts'
import {
  Buyer,
  isTaxInvoice,
  Part,
  Party,
  percentOf,
  Place,
  type InvoiceBody,
} from './invoice-body.ts'
import type { InvoiceDocument } from './invoices.ts'
import { taxWithin, totalOf, type Taxed } from './tax.ts'

const Line = z.object({
  /** The line's place on the invoice. */
  at: z.int(),
  title: z.string(),
  sac: z.string().nullable(),
  gstPercent: z.number().nullable(),
  amountPaise: z.int(),
  taxablePaise: z.int().nullable(),
  taxes: z.array(Part),
})

export const CreditNoteBody = z.object({
  invoiceNumber: z.string(),
  invoiceIssuedAt: z.iso.datetime(),
  isOfTaxInvoice: z.boolean(),
  seller: Party,
  buyer: Buyer,
  placeOfSupply: Place.nullable(),
  lines: z.array(Line),
  currency: z.string(),
  totalPaise: z.int(),
  taxablePaise: z.int().nullable(),
  taxes: z.array(Part),
  paymentId: z.string(),
  refundedAt: z.iso.datetime(),
})
export type CreditNoteBody = z.infer<typeof CreditNoteBody>

type Refund = Pick<RefundDocument, 'amountPaise' | 'lineNos' | 'paymentId' | 'createdAt'>
type Of = Pick<InvoiceDocument, 'number' | 'issuedAt'> & { body: InvoiceBody }

/** What this refund takes back of the invoice, after what the standing credit notes before it took back. */
export function creditNoteBodyOf(
  { number, issuedAt, body }: Of,
  refund: Refund,
  earlier: readonly CreditNoteBody[],
): CreditNoteBody {
  const names = [...new Set(body.taxes.map(({ name }) => name))]
  const before = body.lines.map((_, at) => creditedOf(earlier, at))
  const parts = partsOf(body, refund, before)
  const lines = body.lines.flatMap(({ title, sac, gstPercent }, at) => {
    const [amountPaise, gone] = [parts[at] ?? 0, before[at] ?? 0]
    if (amountPaise === 0) return []
    const percent = percentOf(body, { gstPercent })
    const until = taxWithin(gone + amountPaise, percent, names)
    const taxed = difference(until, taxWithin(gone, percent, names))
    return [{ at, title, sac, gstPercent, amountPaise, ...taxed }]
  })
  return {
    invoiceNumber: number,
    invoiceIssuedAt: issuedAt.toISOString(),
    isOfTaxInvoice: isTaxInvoice(body),
    seller: body.seller,
    buyer: body.buyer,
    placeOfSupply: body.placeOfSupply,
    lines,
    currency: body.currency,
    totalPaise: sumOf(lines),
    ...totalOf(lines),
    paymentId: refund.paymentId,
    refundedAt: refund.createdAt.toISOString(),
  }
}

function creditedOf(notes: readonly CreditNoteBody[], at: number): number {
  return sumOf(notes.flatMap(({ lines }) => lines.filter((line) => line.at === at)))
}

/** By line: first the lines that the refund is of, by what is left of them, then the others. */
function partsOf({ lines, totalPaise }: InvoiceBody, refund: Refund, before: number[]): number[] {
  const wanted = Math.min(refund.amountPaise, totalPaise)
  const isMeant = ({ no }: InvoiceBody['lines'][number], at: number) =>
    refund.lineNos.length === 0 || refund.lineNos.includes(String(no ?? at + 1))
  const left = lines.map(({ amountPaise }, at) => Math.max(0, amountPaise - (before[at] ?? 0)))
  const meant = shareOut(
    wanted,
    lines.map((line, at) => (isMeant(line, at) ? (left[at] ?? 0) : 0)),
  )
  const others = shareOut(
    wanted - sum(meant),
    left.map((paise, at) => paise - (meant[at] ?? 0)),
  )
  // Nothing is left where an earlier refund has failed, and we have not heard of it yet: its note will be cancelled.
  const beyond = shareOut(
    wanted - sum(meant) - sum(others),
    lines.map(({ amountPaise }) => amountPaise),
  )
  return lines.map((_, at) => (meant[at] ?? 0) + (others[at] ?? 0) + (beyond[at] ?? 0))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** Of two running totals; so the parts of a line add up to its whole. */
function difference(until: Taxed, before: Taxed): Taxed {
  return {
    taxablePaise:
      until.taxablePaise === null ? null : until.taxablePaise - (before.taxablePaise ?? 0),
    taxes: until.taxes.map((tax, at) => ({
      ...tax,
      amountPaise: tax.amountPaise - (before.taxes[at]?.amountPaise ?? 0),
    })),
  }
}
