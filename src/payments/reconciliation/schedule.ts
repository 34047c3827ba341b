// When an order is asked about next. The longer nothing came, the less often: each pause is half of the time that
// has gone by, so that an order is asked about some dozen times and not every minute.
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../durations.ts'
import type { OrderDocument } from '../../orders/order.ts'

/** While a payment stands that may become one any moment. */
export const SOON_MS = MINUTE_MS
export const LONGEST_MS = 6 * HOUR_MS
/** A bank may take days to say that a payment went through after all. An open order is looked at however old. */
export const LATE_MS = 7 * DAY_MS
/** For what nobody asks about any more. */
export const NEVER = new Date('9999-01-01')

export const LONGEST_WHILE_OPEN_MS = 10 * MINUTE_MS
const LEAST_WHEN_CLOSED_MS = 10 * MINUTE_MS

type Asked = Pick<OrderDocument, 'status' | 'createdAt' | 'expiresAt'>

/** The time at which an order that is asked about at `at` is due again, should nothing come of it. */
export function nextLook({ status, createdAt, expiresAt }: Asked, at: Date): Date {
  const now = at.getTime()
  const after = (since: Date, { least, longest }: { least: number; longest: number }) =>
    new Date(now + Math.min(Math.max((now - since.getTime()) / 2, least), longest))
  if (status === 'CREATED' && expiresAt > at) {
    const next = after(createdAt, { least: SOON_MS, longest: LONGEST_WHILE_OPEN_MS })
    // It is closed when its time is over, and not a pause later.
    return next < expiresAt ? next : expiresAt
  }
  if (status === 'CREATED') return after(expiresAt, { least: SOON_MS, longest: LONGEST_MS })
  if (now - expiresAt.getTime() >= LATE_MS) return NEVER
  const since = status === 'REVIEW' ? createdAt : expiresAt
  return after(since, { least: LEAST_WHEN_CLOSED_MS, longest: LONGEST_MS })
}
