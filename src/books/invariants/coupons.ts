import type { Document } from 'mongodb'
import { rowsOf, scan } from './rows.ts'
import type { Violation, Watch } from './violation.ts'

const WITHIN = 'a coupon is sold within the limits that stood when it was sold'

type Sold = {
  code: string
  orderId: string
  nth: number
  own: number
  maxTotal?: number | null
  maxPerUser?: number | null
}
type Places = { _id: string; n: number; last: number }

/**
 * Each use is judged by the uses before it and by the limits it was sold under, so that changing a limit later
 * is nobody's fault. Whoever paid late is no exception.
 */
export async function couponsWithinLimits(deps: Watch): Promise<Violation[]> {
  const upToHere = { $sum: 1, window: { documents: ['unbounded', 'current'] } }
  const counted = (field: string, partitionBy: Document | string): Document => ({
    $setWindowFields: { partitionBy, sortBy: { place: 1 }, output: { [field]: upToHere } },
  })
  const isAbove = (count: string, limit: string) => ({
    $and: [{ $isNumber: limit }, { $gt: [count, limit] }],
  })
  const sold = [
    { $match: { state: { $in: ['HELD', 'USED'] } } },
    counted('nth', '$code'),
    counted('own', { code: '$code', userId: '$userId' }),
    { $match: { $expr: { $or: [isAbove('$nth', '$maxTotal'), isAbove('$own', '$maxPerUser')] } } },
  ]
  const places = [
    { $group: { _id: '$code', n: { $sum: 1 }, last: { $max: '$place' } } },
    { $match: { $expr: { $ne: ['$n', { $add: ['$last', 1] }] } } },
  ]
  return [
    ...(await scan(rowsOf<Sold>(deps, 'coupon_uses', sold), faultsOf)),
    ...(await scan(rowsOf<Places>(deps, 'coupon_uses', places), ({ _id, n, last }) => [
      {
        invariant: WITHIN,
        subject: `coupon ${_id}`,
        detail: `has ${n} uses on ${last + 1} places`,
      },
    ])),
  ]
}

function faultsOf({ code, orderId, nth, own, maxTotal, maxPerUser }: Sold): Violation[] {
  const subject = `coupon ${code}, order ${orderId}`
  const faults = [
    typeof maxTotal === 'number' && nth > maxTotal && `is use ${nth} of ${maxTotal}`,
    typeof maxPerUser === 'number' &&
      own > maxPerUser &&
      `is use ${own} of ${maxPerUser} by one buyer`,
  ]
  return faults.flatMap((detail) =>
    detail === false ? [] : [{ invariant: WITHIN, subject, detail }],
  )
}
