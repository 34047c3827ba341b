import type { OrderDocument } from '../../../src/orders/order.ts'
import { grantKeyOf } from '../../../src/payments/settlement/line-access.ts'
import { attempt, pick } from './calls.ts'
import type { StepOf } from './steps.ts'
import type { World } from './world.ts'

export const ACTS_OF_REVOKED = { putOut }

/** Somebody is put out, and at the same moment orders for nothing, on the other server too. */
async function putOut(world: World, step: StepOf<'putOut'>): Promise<void> {
  const buyer = pick(world.cast.buyers, step.buyer)
  const courseId = pick(world.cast.courses, step.course)
  if (!buyer || courseId === undefined) return
  const [first, second] = world.instances
  const whose = { courseId, userId: buyer.user.id }
  const orders = [first, second].map((instance) =>
    attempt(world, instance, () =>
      instance.as(buyer).orders.create.mutate({ courseIds: [courseId], couponCode: 'FREE' }),
    ),
  )
  const { enrollments } = first.as(world.cast.admin)
  const revoke = attempt(world, first, () => enrollments.revoke.mutate(whose))
  await Promise.all([...orders, revoke])
}

/** Which lines that cost nothing open no course: a person has decided about those. */
export async function linesPutOut(
  { lms }: World,
  userId: string,
): Promise<(order: OrderDocument, line: { no: number; courseId: string }) => boolean> {
  const rows = await lms.db.orm.enrollments.where({ userId }).all()
  const rowOf = new Map(rows.map((row) => [row.courseId, row]))
  return (order, { no, courseId }) => {
    const row = rowOf.get(courseId)
    const own = row?.grants.find(({ key }) => key === grantKeyOf(order._id, no))
    return Boolean(row?.barredAt) || Boolean(own?.revokedBy)
  }
}
