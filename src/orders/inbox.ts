// Events are written down before they are acknowledged, and worked on until they are done: right after the
// answer, or by the job that finds them left. Working on one twice does nothing twice.
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { isDuplicateKey, type Db } from '../db.ts'
import { isOurAccount } from './account.ts'
import { applyDispute } from './disputes.ts'
import { settlePayment } from './fulfillment.ts'
import type { Till } from './order.ts'
import { DisputeAnswer, PaymentAnswer, RefundAnswer } from './razorpay-shapes.ts'
import { adoptRefund } from './refund-outcome.ts'

// Longer than one may take, so that nobody else begins it meanwhile.
const CLAIM_MS = 60_000
const FIRST_WAIT_MS = 5_000
const LONGEST_WAIT_MS = 60_000
const MAX_ATTEMPTS = 500
const PER_RUN = 500
const KEPT_MS = 90 * 24 * 60 * 60_000

type EventDocument = NonNullable<Awaited<ReturnType<Db['orm']['webhook_events']['first']>>>

const Envelope = z.object({
  account_id: z.string().max(60).optional(),
  event: z.string().max(100),
  payload: z.record(z.string(), z.object({ entity: z.unknown() })),
})

/** Answers the stored event's id, or null when it was stored before. */
export async function storeEvent(
  { db, now }: Till,
  { eventId, body }: { eventId: string; body: Buffer },
): Promise<string | null> {
  const at = now()
  const text = body.toString()
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
    const state = attempts < MAX_ATTEMPTS ? 'WAITING' : 'DEAD'
    await db.orm.webhook_events
      .where({ _id: id, attempts })
      .update({ state, nextAt: new Date(now().getTime() + wait), outcome: outcomeOf(error) })
  }
}

function outcomeOf(error: unknown): string {
  return (error instanceof Error ? error.message : 'failed').slice(0, 200)
}

// The payment comes first: a refund or a dispute is of one, and may be the first we hear of it.
async function apply(deps: Till, { body, event }: EventDocument): Promise<string> {
  const envelope = Envelope.safeParse(parse(body))
  if (!envelope.success) return 'unreadable'
  const { account_id: accountId, payload } = envelope.data
  const payment = PaymentAnswer.safeParse(payload['payment']?.entity)
  const refund = RefundAnswer.safeParse(payload['refund']?.entity)
  const dispute = DisputeAnswer.safeParse(payload['dispute']?.entity)
  if (!payment.success) {
    if (payload['payment']) deps.log.warn({ event }, 'webhook of a payment that cannot be read')
    return 'ignored'
  }
  if (!(await isOurAccount(deps, accountId ?? '', payment.data.id))) {
    deps.log.warn({ event, accountId }, 'webhook of another account')
    return 'another account'
  }
  const settled = await settlePayment(deps, payment.data, 'webhook')
  if (refund.success) await adoptRefund(deps, refund.data)
  // The payment is captured again, and may never have got what it was for.
  if (refund.data?.status === 'failed') return settlePayment(deps, payment.data, 'webhook')
  if (dispute.success) await applyDispute(deps, dispute.data)
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
export async function processWaiting(deps: Till): Promise<void> {
  const due = await deps.db.orm.webhook_events
    .where({ state: 'WAITING' })
    .where(MongoFieldFilter.lte('nextAt', deps.now()))
    .select('_id')
    .orderBy({ nextAt: 1 })
    .limit(PER_RUN)
    .all()
  for (const { _id } of due) await processEvent(deps, _id)
}
