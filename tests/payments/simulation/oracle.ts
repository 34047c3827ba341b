// What must be true at rest, computed from the bank's own ledger and held against what we say.
import { readBooks } from './books.ts'
import { accessFaults } from './oracle-access.ts'
import { effectFaults } from './oracle-effects.ts'
import { paymentFaults, strangers, totals } from './oracle-money.ts'
import type { World } from './world.ts'

/** Everything that is wrong, in words; nothing, when all is well. */
export async function faultsAtRest(world: World): Promise<string[]> {
  const { cast, instances, bank } = world
  const violations = await instances[0]
    .as(cast.admin)
    .admin.invariants.query({ graceSeconds: 0 })
    .catch((error: unknown) => [
      { invariant: 'the invariants', subject: 'cannot be computed', detail: String(error) },
    ])
  const books = await readBooks(world)
  const payments = books.ledger.flatMap((order) =>
    order.payments.map((payment) => ({ order, payment })),
  )
  return [
    ...world.faults,
    ...instances.flatMap(({ complaints }) => complaints),
    ...violations.map(({ invariant, subject, detail }) => `${invariant}: ${subject} ${detail}`),
    ...payments.flatMap(({ order, payment }) => paymentFaults(books, order, payment)),
    ...strangers(books),
    ...totals(books, bank.ledger()),
    ...(await accessFaults(world, books)),
    ...(await unreadStill(world)),
    ...(await effectFaults(world, books)),
  ]
}

/** What could not be read was read in the end, and the events that were given up for it are closed. */
async function unreadStill({ lms }: World): Promise<string[]> {
  const [rows, events] = await Promise.all([
    lms.db.driver.collection('unreadable_entities').find({ readAt: null }).toArray(),
    lms.db.driver.collection('webhook_events').find({ state: 'DEAD' }).toArray(),
  ])
  return [
    ...rows.map((row) => `${String(row['key'])} is still not read`),
    ...events.map((row) => `event ${String(row['eventId'])}: ${String(row['outcome'])}`),
  ]
}
