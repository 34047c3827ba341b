// Whoever pays first and then says whom the invoice is for, in time for the month's return, finds it there: once, and
// never after a credit note, whose taxes are those of the invoice.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import type { Actor } from '../auth/sessions.ts'
import type { UserDocument } from '../auth/user.ts'
import { BillingProfile, type Billing } from '../billing.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { Id } from '../fields.ts'
import { buyerOf, InvoiceBody, withBuyer } from './invoice-body.ts'
import { findInvoice, type InvoiceDocument } from './invoices.ts'
import { startOfMonth } from './numbers.ts'
import { publicInvoice, type Invoice } from './public-invoice.ts'

// More than anybody buys in a month; what is left over can be named order by order.
const MOST_AT_ONCE = 100

export const LateBilling = z.object({ orderId: Id, billing: BillingProfile })
export type LateBilling = z.infer<typeof LateBilling>

/**
 * Puts billing details on the invoice of the actor's own order, in the month in which it was paid. Throws NOT_FOUND,
 * also for what is another's or not paid for, and INVOICE_CLOSED.
 */
export async function setInvoiceBilling(
  deps: Audited,
  actor: Actor,
  { orderId, billing }: LateBilling,
): Promise<Invoice> {
  const invoice = await findInvoice(deps, orderId)
  if (invoice?.userId !== actor.id) throw new DomainError('NOT_FOUND')
  const billed = await putBilling(deps, invoice, { billing, email: actor.email })
  if (!billed) throw new DomainError('INVOICE_CLOSED')
  await auditBilling(deps, actor, billed)
  return publicInvoice(billed)
}

/** Puts a profile just given on every invoice of this month that has no billing details yet. */
export async function billOpenInvoices(
  deps: Audited,
  actor: Pick<Actor, 'id' | 'role' | 'email'>,
  billing: Billing,
): Promise<void> {
  const open = await deps.db.orm.invoices
    .where({ userId: actor.id })
    .where(MongoFieldFilter.gte('issuedAt', startOfMonth(deps.now())))
    .orderBy({ issuedAt: -1, _id: -1 })
    .limit(MOST_AT_ONCE)
    .all()
  for (const invoice of open) {
    const billed = await putBilling(deps, invoice, { billing, email: actor.email })
    if (billed) await auditBilling(deps, actor, billed)
  }
}

/**
 * For an invoice just issued to a buyer who had no billing details when they were read: they may have said them at
 * the very moment.
 */
export async function billByProfile(
  deps: Uses<'db' | 'now'>,
  { orderId, buyer }: { orderId: string; buyer: UserDocument | null },
): Promise<void> {
  if (!buyer || buyer.billing) return
  const said = await profileBehind(deps, orderId)
  const invoice = said?.billing ? await findInvoice(deps, orderId) : null
  if (!said?.billing || !invoice) return
  const { name, state, gstin, address } = said.billing
  const billing = { name, state, gstin: gstin ?? null, address: address ?? null }
  await putBilling(deps, invoice, { billing, email: said.email })
}

type Said = Pick<UserDocument, 'email' | 'billing'>

/** What the buyer of this invoice says now; null where there is no invoice. In one read, since every sale asks it. */
async function profileBehind({ db }: Uses<'db'>, orderId: string): Promise<Said | null> {
  const [said] = await db.driver
    .collection('invoices')
    .aggregate<Said>([
      { $match: { orderId } },
      { $lookup: { from: 'users', localField: 'userId', foreignField: '_id', as: 'buyer' } },
      { $unwind: '$buyer' },
      { $project: { email: '$buyer.email', billing: '$buyer.billing' } },
    ])
    .toArray()
  return said ?? null
}

type Wanted = { billing: Billing; email: string }

/** One conditional write decides; null where the invoice can no longer be changed. */
async function putBilling(
  { db, now }: Uses<'db' | 'now'>,
  invoice: InvoiceDocument,
  { billing, email }: Wanted,
): Promise<InvoiceDocument | null> {
  const body = InvoiceBody.parse(invoice.body)
  if (invoice.issuedAt < startOfMonth(now()) || isBilled(body)) return null
  const { buyer, ...rest } = body
  const billed = withBuyer(rest, buyerOf(billing, { name: buyer.name, email }))
  return db.orm.invoices
    .where({ _id: invoice._id })
    .where(MongoFieldFilter.isNull('billedAt'))
    .where(MongoFieldFilter.isNull('closedAt'))
    .update({ body: billed, issuedBody: body, billedAt: now() })
}

function isBilled({ buyer }: InvoiceBody): boolean {
  return buyer.state !== null || buyer.gstin !== null || buyer.address !== null
}

async function auditBilling(
  deps: Audited,
  actor: Pick<Actor, 'id' | 'role'>,
  { orderId, number, body }: InvoiceDocument,
): Promise<void> {
  const { placeOfSupply, buyer } = InvoiceBody.parse(body)
  await audit(deps, {
    actor,
    act: 'invoices.billed',
    target: `order:${orderId}`,
    after: { number, placeOfSupply: placeOfSupply?.code ?? null, isBusiness: buyer.gstin !== null },
  })
}
