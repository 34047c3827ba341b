import { attempt, pick } from './calls.ts'
import type { StepOf } from './steps.ts'
import type { World } from './world.ts'

export const ACTS_OF_ADMINS = { refund, redrive, reprice, letIn }

async function refund(world: World, step: StepOf<'refund'>): Promise<void> {
  const order = pick(await ordersOf(world), step.order)
  if (!order) return
  const line = pick(order.lines, step.pick)
  const parts = {
    whole: {},
    line: { lines: [line?.no ?? 1] },
    amount: { amountPaise: 100 + step.pick },
  }
  const instance = world.instances[step.on]
  await attempt(world, instance, () =>
    instance
      .as(world.cast.admin)
      .refunds.create.mutate({ orderId: order._id, ...parts[step.what] }),
  )
}

async function redrive(world: World, step: StepOf<'redrive'>): Promise<void> {
  const order = pick(await ordersOf(world), step.order)
  if (!order) return
  const instance = world.instances[step.on]
  await attempt(world, instance, () =>
    instance.as(world.cast.admin).orders.redrive.mutate({ orderId: order._id }),
  )
}

/** A price that changes must change nothing about orders that are open or paid. */
async function reprice(world: World, step: StepOf<'reprice'>): Promise<void> {
  const id = pick(world.cast.courses, step.course)
  if (id === undefined) return
  await world.lms.db.orm.courses.where({ _id: id }).update({ pricePaise: step.pricePaise })
}

/** Somebody is let into a course without paying, or put out again. */
async function letIn(world: World, step: StepOf<'letIn'>): Promise<void> {
  const buyer = pick(world.cast.buyers, step.buyer)
  const courseId = pick(world.cast.courses, step.course)
  if (!buyer || courseId === undefined) return
  const [instance] = world.instances
  const { enrollments } = instance.as(world.cast.admin)
  const whose = { courseId, userId: buyer.user.id }
  await attempt(world, instance, () =>
    step.isOut
      ? enrollments.revoke.mutate({ ...whose, reason: 'put out by an administrator' })
      : enrollments.grant.mutate(whose),
  )
}

function ordersOf({ lms }: World) {
  return Promise.resolve(lms.db.orm.orders.orderBy({ createdAt: 1, _id: 1 }).all())
}
