// A mail is put here by whoever decides that it is due, and sent by a job, again and again until the server
// has taken it. Who dies between sending and noting it sends a second copy, under the same Message-ID.
import { createHash } from 'node:crypto'
import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import { z, ZodError } from 'zod'
import { isDuplicateKey, type Stored } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../durations.ts'
import type { Job } from '../jobs.ts'
import { workOff, type WorkQueue } from '../work-queue.ts'
import { isMailFailure } from './mailer.ts'
import { Mail } from './mail.ts'
import { composeMail } from './messages.ts'

type Sender = Uses<'db' | 'now' | 'mailer' | 'log' | 'settings'>

type LinkTemplate =
  | 'verify-email'
  | 'reset-password'
  | 'confirm-new-address'
  | 'confirm-old-address'
  | 'email-changed'

/** A mail with a link to an account carries nothing here: its token is made when it is sent. */
export type QueuedMail =
  | Exclude<Mail, { template: LinkTemplate }>
  | { template: LinkTemplate; data: { changeKey?: string } }

/**
 * Makes the link for whoever has this address, or is changing it; null when there is nobody to write to.
 */
export type LinkMaker = (
  deps: Uses<'db' | 'now'>,
  to: string,
  changeKey: string,
) => Promise<{ token: string } | null>

/** Who makes the links of each mail that needs one. */
export type LinkMakers = Record<LinkTemplate, LinkMaker>

/** The mail as it may go to this address now, null where it may not; `isFirst` at the first attempt to send it. */
export type Admission = (
  deps: Uses<'db' | 'now'>,
  asked: { to: string; mail: Mail; isFirst: boolean },
) => Promise<Mail | null>

type Policy = { links: LinkMakers; admit: Admission }

const Json = z.record(z.string(), z.json())

// A server may be away over a weekend; a process may have been as well, so that not only time counts.
const PATIENCE_MS = 3 * DAY_MS
const LEAST_ATTEMPTS = 8
// A mailer gives up sooner.
const CLAIM_MS = 2 * MINUTE_MS
const BACKOFF = { firstMs: 30 * SECOND_MS, longestMs: HOUR_MS }
/** How long the record of a mail that was sent, or given up, stays. */
export const KEPT_MS = 30 * DAY_MS
const AT_ONCE = 5
const PER_RUN = 200

type Addressed = { key: string; to: string; userId?: string | null }

/**
 * Puts a mail into the outbox. The same key a second time is the same mail, and nothing happens. `userId` is whom it
 * concerns, where it goes to another address than that of their account.
 */
export async function putMail(
  { db, now }: Uses<'db' | 'now'>,
  { key, to, userId = null, template, data }: QueuedMail & Addressed,
): Promise<void> {
  const at = now()
  try {
    await db.orm.outbox_mails.create({
      key,
      to,
      userId,
      template,
      data: Json.parse(JSON.parse(JSON.stringify(data))),
      state: 'WAITING',
      attempts: 0,
      nextAt: at,
      error: null,
      createdAt: at,
      sentAt: null,
    })
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
  }
}

/**
 * The job that sends what is due and may go, with links by these makers, and gives up what no attempt can send.
 */
export const sendMails = (policy: Policy): Job => ({
  name: 'send-mails',
  everySeconds: 2,
  run: async (deps, stopping) => {
    const keep = () => Promise.resolve(!stopping.aborted)
    await workOff(deps, outbox(deps, policy), { perRun: PER_RUN, atOnce: AT_ONCE, keep })
    await forgetOld(deps)
  },
})

type Row = Stored<'outbox_mails'>

const outbox = (deps: Sender, policy: Policy): WorkQueue<Row> => ({
  open: deps.db.orm.outbox_mails.where({ state: 'WAITING' }),
  claimMs: CLAIM_MS,
  backoff: BACKOFF,
  attempt: (row) => send(deps, policy, row),
  done: (row) => close(deps, row, { state: 'DONE', error: null }),
  failed: (row, error, nextAt) => noteFailure(deps, row, { error, nextAt }),
})

async function send(
  deps: Uses<'db' | 'now' | 'mailer' | 'settings'>,
  { links, admit }: Policy,
  row: Row,
): Promise<void> {
  const { mailer, settings } = deps
  const written = await contentOf(deps, links, row)
  const asked = written && { to: row.to, mail: written, isFirst: row.attempts === 1 }
  const mail = asked && (await admit(deps, asked))
  if (!mail) return
  const name = createHash('sha256').update(row.key).digest('hex').slice(0, 32)
  const messageId = `<${name}@${new URL(settings.appUrl).hostname}>`
  await mailer.send({ to: row.to, messageId, ...composeMail(settings, mail) })
}

async function contentOf(
  deps: Uses<'db' | 'now'>,
  links: LinkMakers,
  row: Row,
): Promise<Mail | null> {
  const { template } = row
  if (!isLinkTemplate(links, template)) return Mail.parse({ template, data: row.data })
  const { changeKey } = LinkData.parse(row.data)
  const data = await links[template](deps, row.to, changeKey)
  return data && Mail.parse({ template, data })
}

const LinkData = z.object({ changeKey: z.string().default('') })

const isLinkTemplate = (links: LinkMakers, template: string): template is LinkTemplate =>
  Object.hasOwn(links, template)

async function noteFailure(
  deps: Uses<'db' | 'now' | 'log'>,
  row: Row,
  { error, nextAt }: { error: unknown; nextAt: Date },
): Promise<void> {
  const { db, log } = deps
  const isHopeless = isMailFailure(error) ? error.kind === 'permanent' : error instanceof ZodError
  const message = isMailFailure(error) ? error.message : 'could not be composed'
  if (!isMailFailure(error)) log.error({ err: error, mailId: row._id }, 'mail not composed')
  if (isHopeless || isTooLate(deps, row)) {
    log.warn({ mailId: row._id, template: row.template, reason: message }, 'mail given up')
    await close(deps, row, { state: 'DEAD', error: message })
    return
  }
  await db.orm.outbox_mails
    .where({ _id: row._id, state: 'WAITING', attempts: row.attempts })
    .update({ nextAt, error: message })
}

function isTooLate({ now }: Uses<'now'>, { attempts, createdAt }: Row): boolean {
  return attempts >= LEAST_ATTEMPTS && now().getTime() - createdAt.getTime() >= PATIENCE_MS
}

/** Marks what was mailed to an address that this user leaves: it is theirs wherever they go. */
export async function keepMailsOf(
  { db }: Uses<'db'>,
  { to, userId }: { to: string; userId: string },
): Promise<void> {
  await db.orm.outbox_mails.where({ to }).where(Field.isNull('userId')).updateAndCount({ userId })
}

/** How many mails were given up in the time that records are kept. */
export function countDeadMails({ db }: Uses<'db'>): Promise<number> {
  return db.driver.collection('outbox_mails').countDocuments({ state: 'DEAD' })
}

/** What was in it is nobody's business any more; the row itself stays a while, as a record and a key. */
async function close(
  { db, now }: Uses<'db' | 'now'>,
  row: Row,
  { state, error }: { state: 'DONE' | 'DEAD'; error: string | null },
): Promise<void> {
  const at = now()
  const nextAt = new Date(at.getTime() + KEPT_MS)
  await db.orm.outbox_mails
    .where({ _id: row._id, attempts: row.attempts })
    .update({ state, error, data: {}, nextAt, sentAt: state === 'DONE' ? at : null })
}

async function forgetOld({ db, now }: Uses<'db' | 'now'>): Promise<void> {
  for (const state of ['DONE', 'DEAD'] as const)
    await db.orm.outbox_mails.where({ state }).where(Field.lte('nextAt', now())).deleteAndCount()
}
