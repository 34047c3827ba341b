// Invoices are numbered without a gap in each financial year: the serial after the last is the unique key of the one
// insert that issues it, whoever is beaten to it takes the next, and no invoice is ever deleted.
import { z } from 'zod'
import type { UserDocument } from '../auth/user.ts'
import { isDuplicateKey } from '../db.ts'
import type { Uses } from '../deps.ts'
import { HOUR_MS } from '../durations.ts'
import { inTurn } from '../in-turn.ts'
import { linesOf, type OrderDocument } from '../orders/order.ts'
import { splitTax } from './tax.ts'

const MAX_TRIES = 300

const Party = z.object({
  name: z.string(),
  state: z.string().nullable(),
  gstin: z.string().nullable(),
  address: z.string().nullable(),
})
const Part = z.object({ name: z.string(), percent: z.number(), amountPaise: z.int() })

/** What stands on the paper, as it was on that day. */
export const InvoiceBody = z.object({
  seller: Party,
  buyer: Party.extend({ email: z.string() }),
  lines: z.array(
    z.object({
      title: z.string(),
      listPaise: z.int(),
      discountPaise: z.int(),
      amountPaise: z.int(),
    }),
  ),
  currency: z.string(),
  totalPaise: z.int(),
  taxablePaise: z.int().nullable(),
  taxes: z.array(Part),
  paymentId: z.string(),
  paidAt: z.iso.datetime(),
})
export type InvoiceBody = z.infer<typeof InvoiceBody>

type Needs = Uses<'db' | 'now' | 'settings'>

/** Issues the invoice of a paid order to its buyer, once. */
export async function issueInvoice(
  deps: Needs,
  order: OrderDocument,
  buyer: UserDocument | null,
): Promise<void> {
  if (!order.paymentId || order.amountPaise === 0) return
  if (await deps.db.orm.invoices.where({ orderId: order._id }).first()) return
  // Of the day it was paid on, however late we heard of it: the financial year is that day's.
  const issuedAt = order.paidAt ?? deps.now()
  const body = bodyOf(deps, order, { buyer, paymentId: order.paymentId })
  const series = financialYear(issuedAt)
  await inTurn(deps.db, `invoice ${series}`, async () => {
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      const serial = await nextSerial(deps, series)
      const number = numberOf(series, serial)
      try {
        const { _id: orderId, userId } = order
        await deps.db.orm.invoices.create({
          number,
          series,
          serial,
          orderId,
          userId,
          body,
          issuedAt,
        })
        return
      } catch (error) {
        if (!isDuplicateKey(error)) throw error
      }
      if (await deps.db.orm.invoices.where({ orderId: order._id }).first()) return
    }
    throw new Error('no invoice number to be had')
  })
}

async function nextSerial({ db }: Uses<'db'>, series: string): Promise<number> {
  const last = await db.orm.invoices
    .where({ series })
    .orderBy({ serial: -1 })
    .select('serial')
    .first()
  return (last?.serial ?? 0) + 1
}

/** `INV/26-27/000001`. The law allows 16 characters, so a seventh digit and an eighth push letters out. */
export function numberOf(series: string, serial: number): string {
  const digits = String(serial).padStart(6, '0')
  return `${'INV'.slice(0, Math.max(0, 9 - digits.length))}/${series}/${digits}`
}

const IST_MS = 5.5 * HOUR_MS

/** India's runs from April to March: `26-27`. */
export function financialYear(at: Date): string {
  const there = new Date(at.getTime() + IST_MS)
  const start = there.getUTCFullYear() - (there.getUTCMonth() < 3 ? 1 : 0)
  const short = (year: number) => String(year % 100).padStart(2, '0')
  return `${short(start)}-${short(start + 1)}`
}

function bodyOf(
  { settings }: Uses<'settings'>,
  order: OrderDocument,
  { buyer, paymentId }: { buyer: UserDocument | null; paymentId: string },
): InvoiceBody {
  const { seller } = settings
  const billing = buyer?.billing
  const { taxablePaise, taxes } = splitTax(order.amountPaise, {
    sellerGstin: seller.gstin,
    sellerState: seller.state,
    buyerGstin: billing?.gstin,
    buyerState: billing?.state,
  })
  return {
    seller: {
      name: seller.name,
      state: seller.state ?? null,
      gstin: seller.gstin ?? null,
      address: null,
    },
    buyer: {
      name: billing?.name ?? buyer?.name ?? '',
      email: buyer?.email ?? '',
      state: billing?.state ?? null,
      gstin: billing?.gstin ?? null,
      address: billing?.address ?? null,
    },
    lines: linesOf(order).map(({ title, listPaise, discountPaise, amountPaise }) => ({
      title,
      listPaise,
      discountPaise,
      amountPaise,
    })),
    currency: order.currency,
    totalPaise: order.amountPaise,
    taxablePaise,
    taxes,
    paymentId,
    paidAt: (order.paidAt ?? order.createdAt).toISOString(),
  }
}
