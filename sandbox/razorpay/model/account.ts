import type {
  DisputeEntity,
  OrderEntity,
  PaymentEntity,
  RefundEntity,
  WebhookEntity,
} from './entities.ts'
import { newId } from './entities.ts'

/** What a merchant sets in the dashboard, and what else of Razorpay differs from account to account. */
export type Settings = {
  /** Capture what is authorised, unless the order itself says otherwise. */
  autoCapture: boolean
  /** How many milliseconds after the authorisation. */
  autoCaptureDelayMs: number
  /** What a second order with the same receipt gets. */
  receipts: 'allow' | 'reject' | 'same'
  /** `pending` refunds wait for settleRefund; `failed` ones fail right after being created. */
  refunds: 'processed' | 'pending' | 'failed'
  /** What refunds are paid from, in paise; null is bottomless. */
  balancePaise: number | null
  /** How many milliseconds a new entity stays out of the list endpoints. */
  listLagMs: number
  /** Who bears Razorpay's fee: a customer pays it on top of the order. */
  feeBearer: 'platform' | 'customer'
  /** Which amount a capture must name where the customer bears the fee: the order's, or all that is authorised. */
  captures: 'order' | 'authorized'
  /** Razorpay documents both for a key reused with another body. */
  idempotencyConflictStatus: 400 | 409
}

/** A key pair; `endsAt` in milliseconds of the account's clock, null while it is the current one. */
export type Key = { id: string; secret: string; endsAt: number | null }
// Entities know seconds; rows keep the moment in milliseconds beside them, as `…Ms` and `…At`.
export type OrderRow = { order: OrderEntity; createdMs: number; capture: boolean | null }
export type PaymentRow = {
  payment: PaymentEntity
  createdMs: number
  authorizedMs: number | null
  lateAt: number | null
  captureAt: number | null
}
export type RefundRow = { refund: RefundEntity; createdMs: number }
export type DisputeRow = { dispute: DisputeEntity; createdMs: number }
export type Endpoint = { webhook: WebhookEntity; secret: string }

/** One try to deliver. */
export type Attempt = {
  at: Date
  url: string
  /** The receiver's HTTP status, or null when there was no answer in time. */
  status: number | null
  error: string | null
}

/** One event on its way to one endpoint. */
export type Delivery = {
  eventId: string
  event: string
  endpointId: string
  body: string
  signature: string
  state: 'queued' | 'held' | 'delivered' | 'dropped' | 'exhausted'
  /** When it is tried next, in milliseconds of the account's clock. */
  dueAt: number
  /** Whether the first retry comes at once; null until something failed. */
  quickRetry: boolean | null
  failures: number
  attempts: Attempt[]
}

/** An occurrence as webhooks tell of it. */
export type WebhookEvent = {
  name: string
  payload: Record<string, { entity: Record<string, unknown> }>
}

/** One merchant account: everything the sandbox remembers. */
export type Account = {
  now: () => Date
  id: string
  keys: [Key, ...Key[]]
  settings: Settings
  orders: Map<string, OrderRow>
  payments: Map<string, PaymentRow>
  refunds: Map<string, RefundRow>
  disputes: Map<string, DisputeRow>
  /** Refund idempotency keys, each with what was asked under it. */
  refundKeys: Map<string, { request: string; refundId: string }>
  endpoints: Endpoint[]
  deliveries: Delivery[]
  /** Queues the events of one occurrence; the webhook sender replaces it. */
  emit: (events: readonly WebhookEvent[]) => void
}

/** An account in which nothing has happened yet. */
export function openAccount(key: { id: string; secret: string }, now: () => Date): Account {
  return {
    now,
    id: newId('acc'),
    keys: [{ ...key, endsAt: null }],
    settings: {
      autoCapture: true,
      autoCaptureDelayMs: 0,
      receipts: 'allow',
      refunds: 'processed',
      balancePaise: null,
      listLagMs: 0,
      feeBearer: 'platform',
      captures: 'order',
      idempotencyConflictStatus: 409,
    },
    orders: new Map(),
    payments: new Map(),
    refunds: new Map(),
    disputes: new Map(),
    refundKeys: new Map(),
    endpoints: [],
    deliveries: [],
    emit: () => undefined,
  }
}

/** The current key, and those replaced whose grace is not over. */
export function liveKeys(account: Account): Key[] {
  const now = account.now().getTime()
  return account.keys.filter((key) => key.endsAt === null || key.endsAt > now)
}
