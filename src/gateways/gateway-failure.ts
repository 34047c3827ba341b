/**
 * refused: answered no, or never sent because our own input was malformed; unreachable: no connection, or the
 * breaker is open; timeout: no whole answer in time; throttled: asked to come later; server: its own fault;
 * nonsense: an answer that is not what was asked for; conflict: a key or reference that stands for something else.
 */
export type GatewayFailureKind =
  'refused' | 'unreachable' | 'timeout' | 'throttled' | 'server' | 'nonsense' | 'conflict'

export type EntityKind = 'order' | 'payment' | 'refund' | 'dispute'

/** Something that the gateway has and the adapter cannot read, by what of it can be told. */
export type UnreadableEntity = {
  gateway: string
  kind: EntityKind
  id: string | null
  /** The gateway's own order. */
  orderId: string | null
  paymentId: string | null
  /** True where it says itself that it is of no order, so of none of ours. */
  isOfNoOrder: boolean
  /** The fields that are odd, and nothing of what is in them. */
  reason: string
}

export type GatewayFailureDetails = {
  gateway: string
  kind: GatewayFailureKind
  description: string
  statusCode?: number | undefined
  code?: string | undefined
  retryable: boolean
  /** True where the gateway cannot have acted: nothing was sent, or it said no. */
  unsent?: boolean
  /** True where asking again can change nothing. */
  isFinal?: boolean
  /** True where the gateway says that there is no such thing, as opposed to not knowing us. */
  isUnknown?: boolean
  /** What was asked for is there and cannot be read: asking again will not help, a person has to look. */
  unreadable?: UnreadableEntity
}

/** Every way a call to a gateway fails. It carries no request, so no secret can leave with it. */
export class GatewayFailure extends Error {
  override readonly name = 'GatewayFailure'
  readonly kind: GatewayFailureKind
  readonly statusCode: number | undefined
  readonly code: string | undefined
  readonly description: string
  readonly retryable: boolean
  readonly unsent: boolean
  readonly isFinal: boolean
  readonly isUnknown: boolean
  readonly unreadable: UnreadableEntity | null

  constructor(details: GatewayFailureDetails) {
    super(`${details.gateway}: ${details.kind}: ${details.description}`)
    this.kind = details.kind
    this.statusCode = details.statusCode
    this.code = details.code
    this.description = details.description
    this.retryable = details.retryable
    this.unsent = details.unsent ?? false
    this.isFinal = details.isFinal ?? false
    this.isUnknown = details.isUnknown ?? false
    this.unreadable = details.unreadable ?? null
  }
}

const OUTAGES: readonly GatewayFailureKind[] = ['unreachable', 'timeout', 'throttled', 'server']

/** Everybody's trouble, as opposed to that of the one thing that was asked about. */
export function isGatewayOutage(error: unknown): boolean {
  return error instanceof GatewayFailure && OUTAGES.includes(error.kind)
}

/** Signed for us, and what it is about cannot be read: trying again will not help, a person has to look. */
export class UnreadableEvent extends Error {
  override readonly name = 'UnreadableEvent'
}
