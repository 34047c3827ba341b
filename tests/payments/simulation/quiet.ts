import { createHash } from 'node:crypto'
import { passTime, runJobs } from './acts-of-fate.ts'
import { deliverOnce } from './acts-of-bank.ts'
import { replaceDead, type World } from './world.ts'

const HOUR = 3_600
const MOST_ROUNDS = 40

/**
 * Ends every fault, lets what was kept back arrive, and lets time and the jobs go on until nothing changes.
 */
export async function comeToRest(world: World): Promise<void> {
  heal(world)
  await replaceDead(world)
  await deliverRest(world)
  let before = ''
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    // What was closed is asked about every six hours at the least.
    await passTime(world, round % 2 === 0 ? 6 * HOUR + 60 : 20 * 60)
    endRefunds(world)
    for (const instance of world.instances) {
      await runJobs(world, instance)
      await passTime(world, 61)
    }
    await deliverRest(world)
    const after = await printOf(world)
    if (after === before && round > 2) return
    before = after
  }
  world.faults.push(`still at work after ${MOST_ROUNDS} rounds`)
}

function heal({ bank, instances }: World): void {
  bank.clearFaults()
  bank.setHabits({ autoCapture: true, listLagMs: 0 })
  bank.setRefunds('processed')
  bank.setBalance(null)
  for (const { database } of instances) database.heal()
}

/** Events in an order that has nothing to do with when they were made. */
async function deliverRest(world: World): Promise<void> {
  const rank = (text: string) => createHash('sha256').update(text).digest('hex')
  const rest = world.bank
    .deliveries()
    .map((delivery, at) => ({ delivery, at }))
    .filter(({ at }) => !world.arrived.has(at) && !world.dropped.has(at))
    .sort((a, b) => (rank(String(a.at)) < rank(String(b.at)) ? -1 : 1))
  for (const one of rest) {
    const instance = world.instances[one.at % 2 === 0 ? 0 : 1]
    await deliverOnce(world, instance, one)
    await instance.deps.background.idle()
  }
}

function endRefunds({ bank }: World): void {
  const payments = bank.ledger().orders.flatMap((order) => order.payments)
  for (const { id, status, amountPaise } of payments.flatMap(({ refunds }) => refunds)) {
    if (status === 'pending') bank.settleRefund(id, amountPaise % 3 === 0 ? 'failed' : 'processed')
  }
}

// What the outside sees of each; marks such as `dueAt` move for ever.
const SEEN: Record<string, string[]> = {
  orders: ['status', 'paymentId', 'gatewayOrderId'],
  payments: ['gatewayPaymentId', 'status', 'orderId', 'reservedPaise', 'lostPaise', 'quarantine'],
  refunds: ['key', 'status', 'gatewayRefundId', 'settledAt'],
  disputes: ['gatewayDisputeId', 'status'],
  webhook_events: ['eventId', 'state'],
  unreadable_entities: ['key', 'readAt'],
  coupon_uses: ['orderId', 'state', 'place'],
  invoices: ['number', 'orderId'],
  credit_notes: ['number', 'refundId', 'cancelledAt'],
  enrollments: ['userId', 'courseId', 'grants'],
}

async function printOf({ lms }: World): Promise<string> {
  const parts: unknown[] = []
  for (const [name, fields] of Object.entries(SEEN)) {
    const projection = Object.fromEntries(fields.map((field) => [field, 1]))
    parts.push(
      await lms.db.driver.collection(name).find({}, { projection }).sort({ _id: 1 }).toArray(),
    )
  }
  return JSON.stringify(parts)
}
