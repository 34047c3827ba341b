import type { Document } from 'mongodb'
import { rowsOf, scan, type OrderRow } from './rows.ts'
import type { Violation, Watch } from './violation.ts'

const IN_TIME = 'an order is paid in its time, or on a decision'

/** 12. Whatever was paid after its order's time was looked at, and the order says why it was taken. */
export async function paidInTime(deps: Watch): Promise<Violation[]> {
  const pipeline: Document[] = [
    {
      $match: {
        status: { $in: ['PAID', 'FULFILLED'] },
        amountPaise: { $gt: 0 },
        // Orders of before have no time to be looked at, and nobody decided about them.
        dueAt: { $type: 'date' },
        lateReason: null,
        $expr: { $gt: ['$paidAt', '$expiresAt'] },
      },
    },
    { $project: { _id: 1 } },
  ]
  return scan(rowsOf<OrderRow>(deps, 'orders', pipeline), ({ _id }) => [
    {
      invariant: IN_TIME,
      subject: `order ${_id.toHexString()}`,
      detail: 'was paid after its time, and nobody decided to take it',
    },
  ])
}
