// What stands on an invoice, as Rule 46 of the CGST Rules asks, frozen on the day it is issued.
import { z } from 'zod'
import type { UserDocument } from '../auth/user.ts'
import { placeOf } from '../billing.ts'
import type { Uses } from '../deps.ts'
import { OUTSIDE_INDIA, stateOf, stateOfCode, type GstState } from '../gst-states.ts'
import { isGstin } from '../gstin.ts'
import { linesOf, type OrderDocument } from '../orders/order.ts'
import { taxNamesOf, taxWithin, totalOf } from './tax.ts'

export const Party = z.object({
  name: z.string(),
  state: z.string().nullable(),
  gstin: z.string().nullable(),
  address: z.string().nullable(),
})
export const Buyer = Party.extend({ email: z.string() })
type Buyer = z.infer<typeof Buyer>

export const Part = z.object({ name: z.string(), percent: z.number(), amountPaise: z.int() })

/** Invoices of before November 2026 say the tax of the whole alone. */
const Line = z.object({
  title: z.string(),
  listPaise: z.int(),
  discountPaise: z.int(),
  amountPaise: z.int(),
  no: z.int().nullable().default(null),
  sac: z.string().nullable().default(null),
  gstPercent: z.number().nullable().default(null),
  taxablePaise: z.int().nullable().default(null),
  taxes: z.array(Part).default([]),
})

export const Place = z.object({ code: z.string(), name: z.string() })

export const InvoiceBody = z.object({
  seller: Party,
  buyer: Buyer,
  /** Where the law takes the course to be bought; null where no tax is shown. */
  placeOfSupply: Place.nullable().default(null),
  lines: z.array(Line),
  currency: z.string(),
  totalPaise: z.int(),
  taxablePaise: z.int().nullable(),
  taxes: z.array(Part),
  paymentId: z.string(),
  paidAt: z.iso.datetime(),
})
export type InvoiceBody = z.infer<typeof InvoiceBody>

/** A tax invoice once the seller has said all that the law wants of it; a receipt until then. */
export function isTaxInvoice({
  seller,
  placeOfSupply,
}: Pick<InvoiceBody, 'seller' | 'placeOfSupply'>): boolean {
  return seller.gstin !== null && Boolean(seller.address) && placeOfSupply !== null
}

/** Whether it leaves the country, on which the law wants a sentence printed. */
export function isExport({ placeOfSupply }: Pick<InvoiceBody, 'placeOfSupply'>): boolean {
  return placeOfSupply?.code === OUTSIDE_INDIA
}

/** What is printed of an order that this payment has paid, for this buyer. */
export function invoiceBodyOf(
  { settings }: Uses<'settings'>,
  order: OrderDocument,
  { buyer, paymentId, paidAt }: { buyer: UserDocument | null; paymentId: string; paidAt: Date },
): InvoiceBody {
  const { name, state, gstin, address, gstPercent, sac } = settings.seller
  const lines = linesOf(order).map((line) => ({
    no: line.no,
    title: line.title,
    listPaise: line.listPaise,
    discountPaise: line.discountPaise,
    amountPaise: line.amountPaise,
    sac: line.sac ?? sac,
    gstPercent: line.gstPercent ?? gstPercent,
    taxablePaise: null,
    taxes: [],
  }))
  return withBuyer(
    {
      seller: { name, state: state ?? null, gstin: gstin ?? null, address: address ?? null },
      lines,
      currency: order.currency,
      totalPaise: order.amountPaise,
      taxablePaise: null,
      taxes: [],
      placeOfSupply: null,
      paymentId,
      paidAt: paidAt.toISOString(),
    },
    buyerOf(buyer?.billing, { name: buyer?.name ?? '', email: buyer?.email ?? '' }),
  )
}

type Billed = NonNullable<UserDocument['billing']>

/** The buyer as printed: by the billing profile, or by the account where there is none. */
export function buyerOf(
  billing: Billed | null | undefined,
  { name, email }: { name: string; email: string },
): Buyer {
  if (!billing) return { name, email, state: null, gstin: null, address: null }
  const place = placeOf(billing)
  const gstin = billing.gstin && isGstin(billing.gstin) ? billing.gstin : null
  // A state that is not understood decides nothing, and is still a part of the address.
  const address = [billing.address, place === null ? billing.state : null]
    .filter((part) => part !== null && part !== '')
    .join(', ')
  return { name: billing.name, email, state: place?.name ?? null, gstin, address: address || null }
}

/** The same invoice, made out to this buyer, with the taxes of the buyer's place. */
export function withBuyer(body: Omit<InvoiceBody, 'buyer'>, buyer: Buyer): InvoiceBody {
  const seller = body.seller.gstin === null ? null : stateOf(body.seller.state ?? '')
  const place = buyer.state === null ? null : stateOf(buyer.state)
  const names = taxNamesOf(seller, place)
  const lines = body.lines.map((line) => ({
    ...line,
    ...taxWithin(line.amountPaise, percentOf(body, line), names),
  }))
  const placeOfSupply: GstState | null = seller && (place ?? seller)
  return { ...body, buyer, placeOfSupply, lines, ...totalOf(lines) }
}

/** The rate within a line; on old invoices, that of the whole. */
export function percentOf(
  { taxes }: Pick<InvoiceBody, 'taxes'>,
  { gstPercent }: Pick<InvoiceBody['lines'][number], 'gstPercent'>,
): number {
  return gstPercent ?? taxes.reduce((sum, { percent }) => sum + percent, 0)
}

/** `Kerala (32)`. */
export function placeName({ code }: { code: string }): string {
  return `${stateOfCode(code)?.name ?? ''} (${code})`
}
