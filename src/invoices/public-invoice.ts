import type { Stored } from '../db.ts'
import { CreditNoteBody } from './credit-note-body.ts'
import { InvoiceBody, isTaxInvoice } from './invoice-body.ts'
import type { InvoiceDocument } from './invoices.ts'
import type { TaxPart } from './tax.ts'

type Party = { name: string; state: string | null; gstin: string | null; address: string | null }

type Line = {
  title: string
  sac: string | null
  gstPercent: number | null
  amountPaise: number
  taxablePaise: number | null
  taxes: TaxPart[]
}

type Paper = {
  number: string
  orderId: string
  issuedAt: Date
  seller: Party
  buyer: Party & { email: string }
  placeOfSupply: { code: string; name: string } | null
  lines: Line[]
  currency: string
  totalPaise: number
  taxablePaise: number | null
  taxes: TaxPart[]
}

/** `billedAt`: when the buyer's details were put on it after all. */
export type Invoice = Paper & {
  title: 'Tax invoice' | 'Receipt'
  paymentId: string
  billedAt: Date | null
}

/** `cancelledAt`: when its refund failed after all, so that the tax is owed again. */
export type CreditNote = Paper & {
  id: string
  invoiceNumber: string
  paymentId: string
  refundedAt: Date
  cancelledAt: Date | null
}

export type CreditNoteDocument = Stored<'credit_notes'>

/** An invoice as its buyer and administrators see it. */
export function publicInvoice({ number, orderId, issuedAt, ...invoice }: InvoiceDocument): Invoice {
  const body = InvoiceBody.parse(invoice.body)
  return {
    number,
    orderId,
    issuedAt,
    title: isTaxInvoice(body) ? 'Tax invoice' : 'Receipt',
    ...paperOf(body),
    paymentId: body.paymentId,
    billedAt: invoice.billedAt ?? null,
  }
}

/** A credit note as its buyer and administrators see it. */
export function publicCreditNote({
  _id: id,
  number,
  orderId,
  issuedAt,
  ...note
}: CreditNoteDocument): CreditNote {
  const body = CreditNoteBody.parse(note.body)
  return {
    id,
    number,
    orderId,
    issuedAt,
    ...paperOf(body),
    invoiceNumber: body.invoiceNumber,
    paymentId: body.paymentId,
    refundedAt: new Date(body.refundedAt),
    cancelledAt: note.cancelledAt ?? null,
  }
}

function paperOf(
  body: InvoiceBody | CreditNoteBody,
): Omit<Paper, 'number' | 'orderId' | 'issuedAt'> {
  const { seller, buyer, placeOfSupply, currency, totalPaise, taxablePaise, taxes } = body
  const lines = body.lines.map(({ title, sac, gstPercent, ...line }) => ({
    title,
    sac,
    gstPercent,
    amountPaise: line.amountPaise,
    taxablePaise: line.taxablePaise,
    taxes: line.taxes,
  }))
  return { seller, buyer, placeOfSupply, lines, currency, totalPaise, taxablePaise, taxes }
}
