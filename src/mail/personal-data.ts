import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import type { Uses } from '../deps.ts'
import type { Leaver, PersonalData } from '../personal-data.ts'

// Whoever registers the address after them is another person, whose mails stay.
async function erase(
  { db }: Uses<'db'>,
  { formerEmail, deletedAt }: Pick<Leaver, 'formerEmail' | 'deletedAt'>,
): Promise<void> {
  if (formerEmail === null) return
  await db.orm.outbox_mails
    .where({ to: formerEmail })
    .where(Field.lte('createdAt', deletedAt))
    .deleteAndCount()
}

/** Mails to the address, sent or not. */
export const mailData = { lists: {}, erase } satisfies PersonalData
