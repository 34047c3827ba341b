// Events are written down before they are acknowledged, and worked on until they are done: right after the
// answer, or by the job that finds them left. Working on one twice does nothing twice.
import { createHash } from 'node:crypto'
import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { isDuplicateKey, type Stored } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import { MINUTE_MS, SECOND_MS, DAY_MS } from '../../durations.ts'
import { UnreadableEvent } from '../../gateways/gateway-failure.ts'
import type { SignedEvent } from '../../gateways/payments.ts'
import type { Keep } from '../../lease.ts'
import { attemptNow, workOff, type WorkQueue } from '../../work-queue.ts'
import { type PaymentDeps, gatewayOf } from '../deps.ts'
import { withoutContacts } from './contacts.ts'
import { ANOTHER_ACCOUNT, DENIED, isOfAnotherAccount } from './event-account.ts'
import { lookAt } from './look.ts'

// Longer than one may take, so that nobody else begins it meanwhile.
const CLAIM_MS = MINUTE_MS
const BACKOFF = { firstMs: 5 * SECOND_MS, longestMs: 5 * MINUTE_MS }
const MAX_ATTEMPTS = 500
const PER_RUN = 500
const KEPT_MS = 90 * DAY_MS

type EventDocument = Stored<'webhook_events'>

/**
 * Answers the stored event's id, or null when it was stored before. The id it came under is outside the
 * signature: with another body it is another event.
 */
export async function storeEvent(
  deps: Uses<'db' | 'now'>,
  { body, ...event }: NewEvent & { body: Buffer },
): Promise<string | null> {
  const text = withoutContacts(body.toString())
  const stored = await insertEvent(deps, event, text)
  if (stored !== null) return stored
  const { id: eventId } = event
  const earlier = await deps.db.orm.webhook_events.where({ eventId }).select('body').first()
  if (earlier?.body === text) return null
  return insertEvent(deps, { ...event, id: createHash('sha256').update(body).digest('hex') }, text)
}

type NewEvent = SignedEvent & { gateway: string }

async function insertEvent(
  { db, now }: Uses<'db' | 'now'>,
  { gateway, id: eventId, type }: NewEvent,
  text: string,
): Promise<string | null> {
  const at = now()
  try {
    const stored = await db.orm.webhook_events.create({
      gateway,
      eventId,
      event: type,
      body: text,
      receivedAt: at,
      state: 'WAITING',
      attempts: 0,
      nextAt: at,
      processedAt: null,
      outcome: null,
      paymentId: null,
    })
    return stored._id
  } catch (error) {
    if (isDuplicateKey(error)) return null
    throw error
  }
}

/** One attempt, if nobody else is at it. Whatever fails is put off. */
export async function processEvent(deps: PaymentDeps, id: string): Promise<void> {
  await attemptNow(deps, inbox(deps), id)
}

/** Goes on with what was left, oldest first. */
export async function processWaiting(deps: PaymentDeps, keep: Keep): Promise<void> {
  await workOff(deps, inbox(deps), { perRun: PER_RUN, keep })
}

function inbox(deps: PaymentDeps): WorkQueue<EventDocument, string> {
  const { db, now, log } = deps
  const events = db.orm.webhook_events
  return {
    open: events.where({ state: 'WAITING' }),
    claimMs: CLAIM_MS,
    backoff: BACKOFF,
    attempt: (event) => applyEvent(deps, event),
    done: async ({ _id }, outcome) => {
      await events.where({ _id }).update({ state: 'DONE', outcome, processedAt: now() })
    },
    failed: async ({ _id, event, attempts }, error, nextAt) => {
      log.warn({ err: error, event, attempts }, 'webhook put off')
      const isHopeless = error instanceof UnreadableEvent || attempts >= MAX_ATTEMPTS
      const state = isHopeless ? 'DEAD' : 'WAITING'
      await events.where({ _id, attempts }).update({ state, nextAt, outcome: outcomeOf(error) })
    },
  }
}

function outcomeOf(error: unknown): string {
  return (error instanceof Error ? error.message : 'failed').slice(0, 200)
}

const STRANGE: Record<string, string> = {
  [ANOTHER_ACCOUNT]: 'webhook of another account',
  [DENIED]: 'webhook of what the gateway does not have',
}

async function applyEvent(deps: PaymentDeps, stored: EventDocument): Promise<string> {
  const gateway = gatewayOf(deps, stored)
  const event = gateway.openEvent(stored.body)
  if (!event) return stored.event === 'unreadable' ? stored.event : 'ignored'
  const { paymentId } = event
  if (paymentId !== null && stored.paymentId !== paymentId)
    await deps.db.orm.webhook_events.where({ _id: stored._id }).update({ paymentId })
  const outcome = (await isOfAnotherAccount(deps, gateway, event))
    ? ANOTHER_ACCOUNT
    : await lookAt(deps, gateway, event)
  const strange = STRANGE[outcome]
  if (strange !== undefined)
    deps.log.warn({ event: stored.event, gateway: stored.gateway }, strange)
  return outcome
}

/** What is done, or given up, is kept for a quarter, longer than anything is delivered again. */
export async function forgetOldEvents({ db, now }: Uses<'db' | 'now'>): Promise<void> {
  const old = MongoFieldFilter.lte('receivedAt', new Date(now().getTime() - KEPT_MS))
  for (const state of ['DONE', 'DEAD'] as const)
    await db.orm.webhook_events.where({ state }).where(old).deleteAndCount()
}
