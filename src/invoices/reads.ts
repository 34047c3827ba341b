import { MongoFieldFilter, type MongoFilterExpr } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import type { Actor } from '../auth/sessions.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { Id, Page, type PageOf } from '../fields.ts'
import { requireOrder } from '../orders/order.ts'
import type { OrderRef } from '../orders/reads.ts'
import { after, splitPage } from '../paging.ts'
import { findInvoice } from './invoices.ts'
import { publicCreditNote, publicInvoice, type CreditNote, type Invoice } from './public-invoice.ts'

/** `series` is a financial year: `26-27`. */
export const InvoicesPage = Page.extend({
  series: z
    .string()
    .regex(/^\d\d-\d\d$/, 'is not a financial year')
    .optional(),
}).prefault({})
export type InvoicesPage = z.infer<typeof InvoicesPage>

export const CreditNotesPage = Page.extend({ orderId: Id.optional() }).prefault({})
export type CreditNotesPage = z.infer<typeof CreditNotesPage>

/** The invoice of one's own order; administrators see anyone's. Throws NOT_FOUND, also where nothing was paid. */
export async function getInvoice(
  deps: Uses<'db'>,
  actor: Actor,
  { orderId }: OrderRef,
): Promise<Invoice> {
  const invoice = await findInvoice(deps, orderId)
  if (!invoice || (invoice.userId !== actor.id && actor.role !== 'ADMIN'))
    throw new DomainError('NOT_FOUND')
  return publicInvoice(invoice)
}

/** The actor's invoices, newest first. */
export function listMyInvoices(
  { db }: Uses<'db'>,
  actor: Pick<Actor, 'id'>,
  page: Page,
): Promise<PageOf<Invoice>> {
  return readPapers(db.orm.invoices.where({ userId: actor.id }), page, publicInvoice)
}

/** Everybody's invoices, newest first, for administrators. */
export function listInvoices(
  { db }: Uses<'db'>,
  { series, ...page }: InvoicesPage,
): Promise<PageOf<Invoice>> {
  const all = db.orm.invoices.where(MongoFieldFilter.gte('serial', 0))
  return readPapers(series === undefined ? all : all.where({ series }), page, publicInvoice)
}

/** The actor's credit notes, newest first; of an order, administrators see anyone's. Throws NOT_FOUND for another's order. */
export async function listMyCreditNotes(
  { db }: Uses<'db'>,
  actor: Pick<Actor, 'id' | 'role'>,
  { orderId, ...page }: CreditNotesPage,
): Promise<PageOf<CreditNote>> {
  const { credit_notes: notes } = db.orm
  if (orderId === undefined)
    return readPapers(notes.where({ userId: actor.id }), page, publicCreditNote)
  const order = await requireOrder({ db }, orderId)
  if (order.userId !== actor.id && actor.role !== 'ADMIN') throw new DomainError('NOT_FOUND')
  return readPapers(notes.where({ orderId }), page, publicCreditNote)
}

/** Everybody's credit notes, newest first, for administrators. */
export function listCreditNotes(
  { db }: Uses<'db'>,
  { series, ...page }: InvoicesPage,
): Promise<PageOf<CreditNote>> {
  const all = db.orm.credit_notes.where(MongoFieldFilter.gte('serial', 0))
  return readPapers(series === undefined ? all : all.where({ series }), page, publicCreditNote)
}

const NEWEST_FIRST = { issuedAt: -1, _id: -1 } as const

type List<Row> = {
  where: (filter: MongoFilterExpr) => List<Row>
  orderBy: (order: typeof NEWEST_FIRST) => List<Row>
  limit: (most: number) => List<Row>
  all: () => PromiseLike<Row[]>
}

async function readPapers<Row extends { _id: string; issuedAt: Date }, Shown>(
  list: List<Row>,
  { cursor, limit }: Page,
  show: (row: Row) => Shown,
): Promise<PageOf<Shown>> {
  const rows = await (cursor === undefined ? list : list.where(after(cursor, 'issuedAt')))
    .orderBy(NEWEST_FIRST)
    .limit(limit + 1)
    .all()
  const placed = rows.map((row) => ({ ...row, createdAt: row.issuedAt }))
  const { items, nextCursor } = splitPage(placed, limit)
  return { items: items.map(show), nextCursor }
}
