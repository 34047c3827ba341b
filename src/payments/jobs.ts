import type { Deps } from '../deps.ts'
import { GatewayFailure } from '../gateways/gateway-failure.ts'
import type { Job } from '../jobs.ts'
import { withLease } from '../lease.ts'
import { readLists } from './reconciliation/lists.ts'
import { reconcile } from './reconciliation/reconciler.ts'
import { driveDueRefunds } from './refunds/drive.ts'
import { forgetOldEvents, processWaiting } from './webhooks/inbox.ts'

const leased = (
  name: string,
  everySeconds: number,
  work: (deps: Deps, keep: () => Promise<boolean>) => Promise<void>,
): Job => ({
  name,
  everySeconds,
  run: async (deps, stopping) => {
    try {
      await withLease(deps, name, (keep) =>
        work(deps, async () => !stopping.aborted && (await keep())),
      )
    } catch (error) {
      // A gateway being away is no fault of ours, and the next run begins where this one ended.
      if (!(error instanceof GatewayFailure)) throw error
      deps.log.warn({ job: name, kind: error.kind }, error.message)
    }
  },
})

/** Any number of instances may run these. Each does at start-up what is due. */
export const paymentJobs: Job[] = [
  leased('webhook-inbox', 5, processWaiting),
  leased('reconcile-orders', 30, reconcile),
  leased('drive-refunds', 15, driveDueRefunds),
  leased('read-gateway-lists', 5 * 60, readLists),
  leased('forget-webhooks', 60 * 60, forgetOldEvents),
]
