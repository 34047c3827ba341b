// What the calls of control/routes.ts take; amounts in paise, and milliseconds where a name ends in Ms.
import { z } from 'zod'

export const Pay = z.object({
  orderId: z.string(),
  outcome: z.enum(['success', 'fail', 'close', 'authorized', 'late', 'double']).optional(),
  amount: z.int().optional(),
  currency: z.string().optional(),
  method: z.enum(['card', 'netbanking', 'wallet', 'upi']).optional(),
  email: z.string().optional(),
  contact: z.string().optional(),
  lateAfterMs: z.number().optional(),
  force: z.boolean().optional(),
  keyId: z.string().optional(),
})
export const PaymentOnly = z.object({ paymentId: z.string() })
export const Refund = z.object({ paymentId: z.string(), amount: z.int().optional() })
export const RefundMove = z.object({
  refundId: z.string(),
  status: z.enum(['processed', 'failed']),
})
export const Dispute = z.object({
  paymentId: z.string(),
  amount: z.int().optional(),
  phase: z.enum(['fraud', 'retrieval', 'chargeback', 'pre_arbitration', 'arbitration']).optional(),
  reasonCode: z.string().optional(),
})
export const DisputeStep = z.object({
  disputeId: z.string(),
  move: z.enum(['under_review', 'action_required', 'won', 'lost', 'closed']),
  deducted: z.int().optional(),
})
export const SettingsPatch = z.strictObject({
  autoCapture: z.boolean().exactOptional(),
  autoCaptureDelayMs: z.number().exactOptional(),
  receipts: z.enum(['allow', 'reject', 'same']).exactOptional(),
  refunds: z.enum(['processed', 'pending', 'failed']).exactOptional(),
  balancePaise: z.int().nullable().exactOptional(),
  listLagMs: z.number().exactOptional(),
  feeBearer: z.enum(['platform', 'customer']).exactOptional(),
  captures: z.enum(['order', 'authorized']).exactOptional(),
  idempotencyConflictStatus: z.union([z.literal(400), z.literal(409)]).exactOptional(),
})
export const WebhooksPatch = z.strictObject({
  drop: z.union([z.enum(['none', 'all']), z.array(z.string())]).exactOptional(),
  copies: z.int().exactOptional(),
  order: z.enum(['natural', 'reversed', 'shuffled']).exactOptional(),
  delayMs: z.number().exactOptional(),
  slowMs: z.number().exactOptional(),
  parallel: z.boolean().exactOptional(),
  hold: z.boolean().exactOptional(),
  timeoutMs: z.number().exactOptional(),
})
export const Fault = z.object({
  route: z.string(),
  kind: z.enum([
    'hang',
    'throttle',
    'error',
    'garbage',
    'reset',
    'slow',
    'drip',
    'redirect',
    'huge',
    'odd',
  ]),
  commit: z.boolean().optional(),
  times: z.int().optional(),
  status: z.int().optional(),
  ms: z.number().optional(),
  location: z.string().optional(),
})
export const Event = z.object({
  name: z.string(),
  payload: z.record(z.string(), z.object({ entity: z.record(z.string(), z.unknown()) })),
  accountId: z.string().optional(),
  eventId: z.string().optional(),
  secret: z.string().optional(),
})
export const Key = z.object({ id: z.string(), secret: z.string(), graceMs: z.number().optional() })
export const Release = z.object({ order: z.enum(['natural', 'reversed']).optional() })
