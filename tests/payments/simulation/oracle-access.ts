import type { OrderDocument } from '../../../src/orders/order.ts'
import { linesPutOut } from './acts-of-revoked.ts'
import type { Books } from './books.ts'
import { gonePaise } from './oracle-money.ts'
import type { World } from './world.ts'

/** Who should be in which course, from the bank's ledger and the intents of our refunds alone. */
export async function accessFaults(world: World, books: Books): Promise<string[]> {
  const [instance] = world.instances
  const faults: string[] = []
  for (const buyer of world.cast.buyers) {
    const isPutOut = await linesPutOut(world, buyer.user.id)
    const bought = new Set(
      [...books.orders.values()]
        .filter(({ userId }) => userId === buyer.user.id)
        .flatMap((order) =>
          openLines(books, order)
            .filter((line) => line.amountPaise > 0 || !isPutOut(order, line))
            .map(({ courseId }) => courseId),
        ),
    )
    const letIn = await courseIdsBy(world, buyer.user.id, 'ADMIN')
    const { items } = await instance.as(buyer).enrollments.mine.query({ limit: 100 })
    const open = new Set(items.filter(({ isActive }) => isActive).map(({ courseId }) => courseId))
    for (const courseId of world.cast.courses) {
      const isRight = bought.has(courseId) || letIn.has(courseId)
      if (isRight === open.has(courseId)) continue
      const says = isRight ? 'paid for course and is not in' : 'is in course and did not pay for'
      faults.push(`${buyer.user.name} ${says} ${courseId}`)
    }
  }
  return faults
}

async function courseIdsBy({ lms }: World, userId: string, kind: string): Promise<Set<string>> {
  const rows = await lms.db.orm.enrollments.where({ userId }).all()
  const given = rows.filter(({ grants }) =>
    grants.some((grant) => grant.kind === kind && !grant.revokedAt),
  )
  return new Set(given.map(({ courseId }) => courseId))
}

/** The lines an order still opens: paid for, and not all of it given back or lost to banks. */
function openLines(books: Books, order: OrderDocument): OrderDocument['lines'][number][] {
  if (order.amountPaise === 0) return order.status === 'FULFILLED' ? [...order.lines] : []
  const payments = books.ledger
    .filter(({ reference }) => reference === order._id)
    .flatMap((theirs) => theirs.payments)
  const payment = payments.find(({ id }) => id === order.paymentId)
  if (!payment?.captured || gonePaise(payment) >= order.amountPaise) return []
  const standing = new Set(
    payment.refunds.filter(({ status }) => status !== 'failed').map(({ id }) => id),
  )
  const ended = new Set(
    books.refunds
      .filter(({ gatewayRefundId }) => standing.has(gatewayRefundId ?? ''))
      .flatMap(({ lineNos }) => lineNos),
  )
  return order.lines.filter(({ no }) => !ended.has(String(no)))
}
