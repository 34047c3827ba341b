import type { Account, Attempt, Delivery, Settings } from '../model/account.ts'
import type { Api, SeenRequest } from '../api/api.ts'
import type { DisputeInput, DisputeMove } from '../model/disputes.ts'
import { moveDispute, openDispute } from '../model/disputes.ts'
import type { DisputeEntity, PaymentEntity, RefundEntity } from '../model/entities.ts'
import type { Faults } from '../api/faults.ts'
import type { Ledger } from '../model/ledger.ts'
import { writeLedger } from '../model/ledger.ts'
import type { Paid, PayInput } from '../model/outcomes.ts'
import { authorizeLate, pay, runDuePayments } from '../model/outcomes.ts'
import { capturePayment, requirePayment } from '../model/payments.ts'
import { createRefund, settleRefund } from '../model/refunds.ts'
import { addEndpoint, EVENTS } from '../webhooks/endpoints.ts'
import type { ForgedEvent } from '../webhooks/envelope.ts'
import type { Sender } from '../webhooks/sender.ts'
import type { WebhookTransport } from '../webhooks/transport.ts'
import { during, type While } from '../../during.ts'
import { openConditions, type Conditions } from './conditions.ts'

/** One event's way to one endpoint, for tests to look at. */
export type DeliveryRecord = {
  eventId: string
  event: string
  state: Delivery['state']
  body: string
  signature: string
  dueAt: Date
  attempts: Attempt[]
}

export type Control = {
  /** Plays the buyer in the payment dialog. */
  pay: (orderId: string, input?: PayInput) => Paid
  /** Turns a `late` payment from failed into authorised. */
  authorizeLate: (paymentId: string) => PaymentEntity
  /** A capture made in the dashboard. */
  capture: (paymentId: string) => PaymentEntity
  /** A refund made in the dashboard; without an amount in paise, of all that is left. */
  refund: (paymentId: string, amount?: number) => RefundEntity
  /** The bank's word on a pending refund. */
  settleRefund: (refundId: string, status: 'processed' | 'failed') => RefundEntity
  openDispute: (input: DisputeInput) => DisputeEntity
  moveDispute: (disputeId: string, move: DisputeMove, deducted?: number) => DisputeEntity

  /**
   * Sets these conditions while `work` runs, and puts back exactly what was there before, also when it
   * throws. They nest, and those that overlap may end in any order.
   */
  with: While<Conditions>
  /** The account's settings, for good. */
  settings: Settings
  /** How webhooks travel, for good. */
  webhooks: WebhookTransport
  setWebhookUrl: (url: string) => void
  /** A disabled endpoint is sent nothing, and new events pass it by. */
  setWebhooksEnabled: (enabled: boolean) => void
  /** A made-up event, signed like a real one unless told otherwise. */
  sendEvent: (event: ForgedEvent) => Promise<void>
  /** Does and sends what is due by the clock. */
  tick: () => Promise<void>
  /** Sends everything not delivered yet, held, delayed or waiting for a retry. */
  deliverAll: () => Promise<void>
  /** Ends hold and sends what was kept back, the oldest event first unless it is reversed. */
  release: (order?: 'natural' | 'reversed') => Promise<void>
  /** Resolves when nothing is under way or due. */
  settle: () => Promise<void>
  /** Sends an event again, signed with the current secret. */
  replay: (eventId: string) => Promise<void>
  /** Every delivery since the start, oldest first. */
  deliveries: () => DeliveryRecord[]

  /** What is queued already keeps the old signature, as at Razorpay. */
  rotateWebhookSecret: (secret: string) => void
  /** The old key works for `graceMs` milliseconds more, default not at all. */
  rotateKey: (key: { id: string; secret: string; graceMs?: number | undefined }) => void

  faults: Omit<Faults, 'take'>
  /** Every API request since the start, oldest first. */
  requests: () => readonly SeenRequest[]
  ledger: () => Ledger
  /** Everything the sandbox remembers, live. */
  state: Account
}

type Webhook = { url: string | undefined; secret: string }

/** The hand of the buyer, the bank, the dashboard and of whoever breaks things, in this process. */
export function openControl(api: Api, sender: Sender, { url, secret }: Webhook): Control {
  const { account } = api
  // The dashboard's endpoint; it exists without an address so that its secret can be rotated.
  const endpoint = addEndpoint(account, {
    url: url ?? '',
    secret,
    events: EVENTS,
    active: url !== undefined,
  })
  const setConditions = openConditions({
    transport: sender.transport,
    settings: account.settings,
    endpoint,
    faults: api.faults,
  })

  function doing<T>(work: () => T): T {
    const answer = work()
    api.onChange()
    return answer
  }

  return {
    pay: (orderId, input) => doing(() => pay(account, orderId, input)),
    authorizeLate: (paymentId) => doing(() => authorizeLate(account, paymentId)),
    capture: (paymentId) =>
      doing(() => {
        const { amount, currency } = requirePayment(account, paymentId).payment
        return { ...capturePayment(account, paymentId, { amount, currency }) }
      }),
    refund: (paymentId, amount) =>
      doing(() => {
        const body = amount === undefined ? {} : { amount }
        return { ...createRefund(account, { paymentId, body, key: undefined }) }
      }),
    settleRefund: (refundId, status) => doing(() => settleRefund(account, refundId, status)),
    openDispute: (input) => doing(() => openDispute(account, input)),
    moveDispute: (disputeId, move, deducted) =>
      doing(() => moveDispute(account, disputeId, move, deducted)),

    with: <T>(conditions: Conditions, work: () => T) =>
      during(() => setConditions(conditions), work),
    settings: account.settings,
    webhooks: sender.transport,
    setWebhookUrl: (url) => {
      endpoint.webhook.url = url
      endpoint.webhook.active = true
    },
    setWebhooksEnabled: (enabled) => {
      endpoint.webhook.active = enabled
    },
    sendEvent: (event) => {
      sender.send(event)
      return sender.settle()
    },
    tick: () => {
      runDuePayments(account)
      return sender.tick()
    },
    deliverAll: () => sender.deliverAll(),
    release: (order) => {
      sender.release(order)
      return sender.settle()
    },
    settle: () => sender.settle(),
    replay: (eventId) => sender.replay(eventId),
    deliveries: () =>
      account.deliveries.map(({ eventId, event, state, body, signature, dueAt, attempts }) => ({
        eventId,
        event,
        state,
        body,
        signature,
        dueAt: new Date(dueAt),
        attempts: [...attempts],
      })),

    rotateWebhookSecret: (secret) => {
      endpoint.secret = secret
    },
    rotateKey: ({ id, secret, graceMs }) => {
      const endsAt = account.now().getTime() + (graceMs ?? 0)
      const old = account.keys.map((key) => ({ ...key, endsAt: key.endsAt ?? endsAt }))
      account.keys = [{ id, secret, endsAt: null }, ...old]
    },

    faults: api.faults,
    requests: () => api.requests,
    ledger: () => writeLedger(account),
    state: account,
  }
}
