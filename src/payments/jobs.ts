import { GatewayFailure } from '../gateways/gateway-failure.ts'
import type { Job } from '../jobs.ts'
import { leased } from '../lease.ts'
import { readLists } from './reconciliation/lists.ts'
import { reconcile } from './reconciliation/reconciler.ts'
import { driveDueRefunds } from './refunds/drive.ts'
import { forgetOldEvents, processWaiting } from './webhooks/inbox.ts'

// A gateway being away is no fault of ours, and the next run begins where this one ended.
const isNoFault = (error: unknown) => error instanceof GatewayFailure

/** Any number of instances may run these. Each does at start-up what is due. */
export const paymentJobs: Job[] = [
  leased({ name: 'webhook-inbox', everySeconds: 5, work: processWaiting, isNoFault }),
  leased({ name: 'reconcile-orders', everySeconds: 30, work: reconcile, isNoFault }),
  leased({ name: 'drive-refunds', everySeconds: 15, work: driveDueRefunds, isNoFault }),
  leased({ name: 'read-gateway-lists', everySeconds: 5 * 60, work: readLists, isNoFault }),
  leased({ name: 'forget-webhooks', everySeconds: 60 * 60, work: forgetOldEvents }),
]
