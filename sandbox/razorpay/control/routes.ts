import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import type { Control } from './control.ts'
import {
  Pay,
  PaymentOnly,
  Refund,
  RefundMove,
  Dispute,
  DisputeStep,
  SettingsPatch,
  WebhooksPatch,
  Fault,
  Event,
  Key,
  Release,
} from './schemas.ts'
import { readBody, sendJson } from '../api/http.ts'
import { Refusal } from '../model/refusal.ts'

type Action = (control: Control, body: unknown) => unknown

// Named after the in-process functions; each takes its arguments as one JSON object.
const ACTIONS: Record<string, Action> = {
  'POST pay': (control, body) => {
    const { orderId, ...input } = Pay.parse(body)
    return control.pay(orderId, input)
  },
  'POST authorizeLate': (control, body) => control.authorizeLate(PaymentOnly.parse(body).paymentId),
  'POST capture': (control, body) => control.capture(PaymentOnly.parse(body).paymentId),
  'POST refund': (control, body) => {
    const { paymentId, amount } = Refund.parse(body)
    return control.refund(paymentId, amount)
  },
  'POST settleRefund': (control, body) => {
    const { refundId, status } = RefundMove.parse(body)
    return control.settleRefund(refundId, status)
  },
  'POST openDispute': (control, body) => control.openDispute(Dispute.parse(body)),
  'POST moveDispute': (control, body) => {
    const { disputeId, move, deducted } = DisputeStep.parse(body)
    return control.moveDispute(disputeId, move, deducted)
  },
  'POST settings': (control, body) => Object.assign(control.settings, SettingsPatch.parse(body)),
  'POST webhooks': (control, body) => Object.assign(control.webhooks, WebhooksPatch.parse(body)),
  'POST setWebhookUrl': (control, body) => {
    control.setWebhookUrl(z.object({ url: z.url() }).parse(body).url)
  },
  'POST setWebhooksEnabled': (control, body) => {
    control.setWebhooksEnabled(z.object({ enabled: z.boolean() }).parse(body).enabled)
  },
  'POST sendEvent': (control, body) => control.sendEvent(Event.parse(body)),
  'POST tick': (control) => control.tick(),
  'POST deliverAll': (control) => control.deliverAll(),
  'POST release': (control, body) => control.release(Release.parse(body).order),
  'POST settle': (control) => control.settle(),
  'POST replay': (control, body) =>
    control.replay(z.object({ eventId: z.string() }).parse(body).eventId),
  'POST rotateWebhookSecret': (control, body) => {
    control.rotateWebhookSecret(z.object({ secret: z.string() }).parse(body).secret)
  },
  'POST rotateKey': (control, body) => {
    control.rotateKey(Key.parse(body))
  },
  'POST faults': (control, body) => {
    control.faults.add(Fault.parse(body))
  },
  'DELETE faults': (control) => {
    control.faults.clear()
  },
  'GET faults': (control) => control.faults.list(),
  'GET deliveries': (control) => control.deliveries(),
  'GET requests': (control) => control.requests(),
  'GET ledger': (control) => control.ledger(),
}

/** Answers one request below /_control/: for other processes, what tests in this one call directly. */
export async function answerControl(
  control: Control,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://sandbox').pathname
  const action = ACTIONS[`${request.method ?? 'GET'} ${path.slice('/_control/'.length)}`]
  // A page in some browser tab has no business here; our own programs send no Origin.
  if (!action || request.headers.origin !== undefined) {
    sendJson(response, 404, { error: 'No such control' })
    return
  }
  try {
    const answer = await action(control, await readBody(request))
    sendJson(response, 200, answer ?? { ok: true })
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof z.ZodError)) throw error
    sendJson(response, 400, { error: error.message })
  }
}
