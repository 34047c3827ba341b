import type { Document } from 'mongodb'
import { rowsOf, scan } from './rows.ts'
import type { Violation, Watch } from './violation.ts'

const READ = 'whatever a gateway told us of a payment was read, or is seen by an administrator'

type Given = { eventId: string; paymentId: string }

/** 12. No event was given up whose payment stands nowhere: neither with us, nor among what cannot be read. */
export async function toldAndRead(deps: Watch): Promise<Violation[]> {
  const pipeline: Document[] = [
    { $match: { state: 'DEAD', paymentId: { $type: 'string' } } },
    {
      $lookup: {
        from: 'payments',
        localField: 'paymentId',
        foreignField: 'gatewayPaymentId',
        as: 'payments',
      },
    },
    {
      $lookup: {
        from: 'unreadable_entities',
        localField: 'paymentId',
        foreignField: 'paymentId',
        as: 'unreadable',
      },
    },
    { $match: { payments: [], unreadable: [] } },
    { $project: { eventId: 1, paymentId: 1 } },
  ]
  return scan(rowsOf<Given>(deps, 'webhook_events', pipeline), ({ eventId, paymentId }) => [
    {
      invariant: READ,
      subject: `event ${eventId}`,
      detail: `was given up, and payment ${paymentId} stands nowhere`,
    },
  ])
}
