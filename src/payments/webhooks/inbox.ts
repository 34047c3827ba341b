// Events are written down before they are acknowledged, and worked on until they are done: right after the
// answer, or by the job that finds them left. Working on one twice does nothing twice.
import { createHash } from 'node:crypto'
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { isDuplicateKey, type Db } from '../../db.ts'
import { DisputeAnswer, PaymentAnswer, RefundAnswer } from '../../gateways/razorpay/shapes.ts'
import type { Keep } from '../../lease.ts'
import type { Till } from '../deps.ts'
import { applyDispute } from '../disputes.ts'
import { adoptRefund } from '../refunds/outcome.ts'
import { settlePayment } from '../settlement/settle-payment.ts'
import { isOurAccount } from './event-account.ts'

// Longer than one may take, so that nobody else begins it meanwhile.
const CLAIM_MS = 60_000
const FIRST_WAIT_MS = 5_000
const LONGEST_WAIT_MS = 60_000
const MAX_ATTEMPTS = 500
const PER_RUN = 500
const KEPT_MS = 90 * 24 * 60 * 60_000

/** How an event ended that was signed for us and is of an account that is not ours. */
export const ANOTHER_ACCOUNT = 'another account'

type EventDocument = NonNullable<Awaited<ReturnType<Db['orm']['webhook_events']['first']>>>

const Envelope = z.object({
  account_id: z.string().max(60).optional(),
  event: z.string().max(100),
  payload: z.record(z.string(), z.object({ entity: z.unknown() })),
})

/**
 * Answers the stored event's id, or null when it was stored before. The id it came under is outside the
 * signature: with another body it is another event.
 */
export async function storeEvent(
  deps: Till,
  { eventId, body }: { eventId: string; body: Buffer },
): Promise<string | null> {
  const text = body.toString()
  const stored = await insertEvent(deps, eventId, text)
  if (stored !== null) return stored
  const earlier = await deps.db.orm.webhook_events.where({ eventId }).select('body').first()
  return earlier?.body === text ? null : insertEvent(deps, digestOf(body), text)
}

export function digestOf(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex')
}

async function insertEvent(
  { db, now }: Till,
  eventId: string,
  text: string,
): Promise<string | null> {
  const at = now()
  try {
    const stored = await db.orm.webhook_events.create({
      eventId,
      event: Envelope.safeParse(parse(text)).data?.event ?? 'unreadable',
      body: text,
      receivedAt: at,
      state: 'WAITING',
      attempts: 0,
      nextAt: at,
      processedAt: null,
      outcome: null,
    })
    return stored._id
  } catch (error) {
    if (isDuplicateKey(error)) return null
    throw error
  }
}

/** One attempt, if nobody else is at it. Whatever fails is put off. */
export async function processEvent(deps: Till, id: string): Promise<void> {
  const { db, now, log } = deps
  const event = await db.orm.webhook_events.where({ _id: id, state: 'WAITING' }).first()
  if (!event) return
  const attempts = event.attempts + 1
  const claimed = await db.orm.webhook_events
    .where({ _id: id, state: 'WAITING', attempts: event.attempts })
    .update({ attempts, nextAt: new Date(now().getTime() + CLAIM_MS) })
  if (!claimed) return
  try {
    const outcome = await apply(deps, claimed)
    await db.orm.webhook_events
      .where({ _id: id })
      .update({ state: 'DONE', outcome, processedAt: now() })
  } catch (error) {
    log.warn({ err: error, event: event.event, attempts }, 'webhook put off')
    const wait = Math.min(FIRST_WAIT_MS * 2 ** (attempts - 1), LONGEST_WAIT_MS)
    const isHopeless = error instanceof Unreadable || attempts >= MAX_ATTEMPTS
    const state = isHopeless ? 'DEAD' : 'WAITING'
    await db.orm.webhook_events
      .where({ _id: id, attempts })
      .update({ state, nextAt: new Date(now().getTime() + wait), outcome: outcomeOf(error) })
  }
}

/** Ours but not of the documented shape: trying again will not help, a person has to look. */
class Unreadable extends Error {}

function outcomeOf(error: unknown): string {
  return (error instanceof Error ? error.message : 'failed').slice(0, 200)
}

// The payment comes first: a refund or a dispute is of one, and may be the first we hear of it.
async function apply(deps: Till, { body, event }: EventDocument): Promise<string> {
  const envelope = Envelope.safeParse(parse(body))
  if (!envelope.success) return 'unreadable'
  const { account_id: accountId, payload } = envelope.data
  const read = <T>(name: string, answer: z.ZodType<T>): T | null => {
    const entity = payload[name]?.entity
    if (entity === undefined) return null
    const { success, data } = answer.safeParse(entity)
    if (!success) throw new Unreadable(`a ${name} that cannot be read`)
    return data
  }
  const payment = read('payment', PaymentAnswer)
  if (!payment) return 'ignored'
  if (!(await isOurAccount(deps, accountId ?? '', payment.id))) {
    deps.log.warn({ event, accountId }, 'webhook of another account')
    return ANOTHER_ACCOUNT
  }
  const refund = read('refund', RefundAnswer)
  const dispute = read('dispute', DisputeAnswer)
  const settled = await settlePayment(deps, payment, 'webhook')
  if (refund) await adoptRefund(deps, refund)
  // The payment is captured again, and may never have got what it was for.
  if (refund?.status === 'failed') return settlePayment(deps, payment, 'webhook')
  if (dispute) await applyDispute(deps, dispute)
  return settled
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

/** What is done is kept for a quarter, longer than anything is delivered again. */
export async function forgetOldEvents({ db, now }: Till): Promise<void> {
  await db.orm.webhook_events
    .where({ state: 'DONE' })
    .where(MongoFieldFilter.lte('receivedAt', new Date(now().getTime() - KEPT_MS)))
    .deleteAndCount()
}

/** Goes on with what was left, oldest first. */
export async function processWaiting(deps: Till, keep: Keep): Promise<void> {
  const due = await deps.db.orm.webhook_events
    .where({ state: 'WAITING' })
    .where(MongoFieldFilter.lte('nextAt', deps.now()))
    .select('_id')
    .orderBy({ nextAt: 1 })
    .limit(PER_RUN)
    .all()
  for (const { _id } of due) {
    if (!(await keep())) return
    await processEvent(deps, _id)
  }
}
