import { MongoFieldFilter as Field, MongoOrExpr } from '@prisma/orm-mongo/query-ast/execution'
import type { Uses } from '../deps.ts'
import type { Leaver, PersonalData } from '../personal-data.ts'

type ExportedMail = { to: string; template: string; createdAt: Date; sentAt: Date | null }

async function readMails(
  { db }: Uses<'db'>,
  userId: string,
  most: number,
): Promise<ExportedMail[]> {
  const user = await db.orm.users.where({ _id: userId }).select('email').first()
  const theirs = MongoOrExpr.of([Field.eq('to', user?.email ?? ''), Field.eq('userId', userId)])
  const rows = await db.orm.outbox_mails.where(theirs).orderBy({ _id: -1 }).limit(most).all()
  return rows.map(({ to, template, createdAt, sentAt }) => ({
    to,
    template,
    createdAt,
    sentAt: sentAt ?? null,
  }))
}

// Whoever registers the address after them is another person, whose mails stay.
async function erase(
  { db }: Uses<'db'>,
  { userId, formerEmail, deletedAt }: Pick<Leaver, 'userId' | 'formerEmail' | 'deletedAt'>,
): Promise<void> {
  await db.orm.outbox_mails.where({ userId }).deleteAndCount()
  if (formerEmail === null) return
  await db.orm.outbox_mails
    .where({ to: formerEmail })
    .where(Field.lte('createdAt', deletedAt))
    .deleteAndCount()
}

/** Mails to the address, sent or not, and to those they had before. */
export const mailData = {
  lists: { mails: readMails },
  keeps: {
    outbox_mails: {
      what: 'the address, and until it is sent what the mail says',
      after: 'removed',
      until: '30 days after it was sent or given up',
    },
  },
  erase,
} satisfies PersonalData
