import type { EntityKind } from '../gateway-failure.ts'
import { malformed } from './failure.ts'

const PREFIXES = { order: 'order', payment: 'pay', refund: 'rfnd', dispute: 'disp' } as const

/** The SDK pastes ids into the path as they are: `../payments/x` would reach another route. */
export function requireId(kind: EntityKind, id: string): string {
  if (isRazorpayId(kind, id)) return id
  throw malformed(`not a Razorpay ${kind} id`)
}

/** Fourteen letters and digits after the kind's prefix: https://razorpay.com/docs/api/. */
export function isRazorpayId(kind: EntityKind, id: unknown): id is string {
  return typeof id === 'string' && idPattern(kind).test(id)
}

export function idPattern(kind: EntityKind): RegExp {
  return new RegExp(`^${PREFIXES[kind]}_[A-Za-z0-9]{14}$`)
}
