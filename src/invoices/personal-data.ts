import { ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'
import type { Leaver, PersonalData } from '../personal-data.ts'
import { publicCreditNote, publicInvoice, type CreditNote, type Invoice } from './public-invoice.ts'

async function readInvoices({ db }: Uses<'db'>, userId: string, most: number): Promise<Invoice[]> {
  const rows = await db.orm.invoices.where({ userId }).orderBy({ _id: -1 }).limit(most).all()
  return rows.map(publicInvoice)
}

async function readCreditNotes(
  { db }: Uses<'db'>,
  userId: string,
  most: number,
): Promise<CreditNote[]> {
  const rows = await db.orm.credit_notes.where({ userId }).orderBy({ _id: -1 }).limit(most).all()
  return rows.map(publicCreditNote)
}

// The law wants both. Whom they were made out to it wants only where a GSTIN is on them: a business then claims the
// tax, and is named in the returns of both. What an invoice said before its billing details came goes the same way.
async function erase(
  { db }: Uses<'db'>,
  { userId, pseudonym }: Pick<Leaver, 'userId' | 'pseudonym'>,
): Promise<void> {
  const whose = { userId: new ObjectId(userId) }
  for (const [name, body] of PRINTED) {
    const papers = db.driver.collection(name)
    const isThere = { ...whose, [body]: { $type: 'object' } }
    await papers.updateMany(isThere, { $set: { [`${body}.buyer.email`]: '' } })
    await papers.updateMany(
      { ...isThere, [`${body}.buyer.gstin`]: null },
      { $set: { [`${body}.buyer.name`]: pseudonym, [`${body}.buyer.address`]: null } },
    )
  }
}

const PRINTED = [
  ['invoices', 'body'],
  ['invoices', 'issuedBody'],
  ['credit_notes', 'body'],
] as const

const PAPER = {
  what: 'name, address and e-mail of the buyer, as they were billed',
  after: 'stay without them; with name and address where they carry the buyer’s GSTIN',
  until: 'as long as the books are kept',
}

/** Invoices and credit notes stay, with their numbers and amounts, and lose the buyer's name and addresses. */
export const invoicesData = {
  lists: { invoices: readInvoices, creditNotes: readCreditNotes },
  keeps: { invoices: PAPER, credit_notes: PAPER },
  erase,
} satisfies PersonalData
