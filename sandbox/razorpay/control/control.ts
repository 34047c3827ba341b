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
import { EVENTS } from '../webhooks/registry.ts'
import type { ForgedEvent, WebhookKnobs } from '../webhooks/sender.ts'

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
  /** A refund made in the dashboard; without an amount, of all that is left. */
  refund: (paymentId: string, amount?: number) => RefundEntity
  settleRefund: (refundId: string, status: 'processed' | 'failed') => RefundEntity
  openDispute: (input: DisputeInput) => DisputeEntity
  moveDispute: (disputeId: string, move: DisputeMove) => DisputeEntity

  settings: Settings
  /** How webhooks travel. */
  webhooks: WebhookKnobs
  setWebhookUrl: (url: string) => void
  /** A disabled endpoint is sent nothing, and new events pass it by. */
  setWebhooksEnabled: (enabled: boolean) => void
  /** A made-up event, signed like a real one unless told otherwise. */
  sendEvent: (event: ForgedEvent) => Promise<void>
  tick: () => Promise<void>
  deliverAll: () => Promise<void>
  release: () => Promise<void>
  settle: () => Promise<void>
  replay: (eventId: string) => Promise<void>
  deliveries: () => DeliveryRecord[]

  /** What is queued already keeps the old signature, as at Razorpay. */
  rotateWebhookSecret: (secret: string) => void
  /** The old key works for `graceMs` more, default not at all. */
  rotateKey: (key: { id: string; secret: string; graceMs?: number | undefined }) => void

  faults: Omit<Faults, 'take'>
  /** Every API request since the start, oldest first. */
  requests: () => readonly SeenRequest[]
  ledger: () => Ledger
  /** Everything the sandbox remembers, live. */
  state: Account
}

export function openControl(
  api: Api,
  webhook: { url: string | undefined; secret: string },
): Control {
  const { account, sender } = api
  // The dashboard's endpoint; it exists without an address so that its secret can be rotated.
  const endpoint = sender.addEndpoint(webhook.url ?? '', webhook.secret, EVENTS)
  endpoint.webhook.active = webhook.url !== undefined

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
    moveDispute: (disputeId, move) => doing(() => moveDispute(account, disputeId, move)),

    settings: account.settings,
    webhooks: sender.knobs,
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
    release: () => {
      sender.release()
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
