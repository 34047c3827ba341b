import { ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'
import type { Leaver, PersonalData } from '../personal-data.ts'

type ExportedInvoice = { number: string; orderId: string; issuedAt: Date }

async function readInvoices(
  { db }: Uses<'db'>,
  userId: string,
  most: number,
): Promise<ExportedInvoice[]> {
  const rows = await db.orm.invoices.where({ userId }).orderBy({ _id: -1 }).limit(most).all()
  return rows.map(({ number, orderId, issuedAt }) => ({ number, orderId, issuedAt }))
}

// The law wants the invoice. Whom it was made out to it wants only where a GSTIN is on it: a business then
// claims the tax, and is named in the returns of both.
async function erase(
  { db }: Uses<'db'>,
  { userId, pseudonym }: Pick<Leaver, 'userId' | 'pseudonym'>,
): Promise<void> {
  const invoices = db.driver.collection('invoices')
  const whose = { userId: new ObjectId(userId) }
  await invoices.updateMany(whose, { $set: { 'body.buyer.email': '' } })
  await invoices.updateMany(
    { ...whose, 'body.buyer.gstin': null },
    { $set: { 'body.buyer.name': pseudonym, 'body.buyer.address': null } },
  )
}

/** Invoices stay, with their numbers and amounts, and lose the buyer's name and addresses. */
export const invoicesData = { lists: { invoices: readInvoices }, erase } satisfies PersonalData
