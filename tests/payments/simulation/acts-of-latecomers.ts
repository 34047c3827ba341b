import { ACTS_OF_BUYERS } from './acts-of-buyers.ts'
import { passTime, runJobs } from './acts-of-fate.ts'
import { attempt, pick } from './calls.ts'
import type { StepOf } from './steps.ts'
import type { World } from './world.ts'

export const ACTS_OF_LATECOMERS = { switchCoupon, shelve, payLate }

const GRACE_MS = 15 * 60_000

function switchCoupon(world: World, step: StepOf<'switchCoupon'>): Promise<void> {
  return setCoupon(world, pick(world.cast.coupons, step.coupon), step.isOn)
}

async function setCoupon({ lms }: World, code: string | undefined, active: boolean): Promise<void> {
  if (code !== undefined) await lms.db.orm.coupons.where({ code }).update({ active })
}

async function shelve({ cast, lms }: World, step: StepOf<'shelve'>): Promise<void> {
  const _id = pick(cast.courses, step.course)
  if (_id === undefined) return
  await lms.db.orm.courses.where({ _id }).update({ status: step.isOff ? 'DRAFT' : 'PUBLISHED' })
}

/** Somebody opens an order, lets time go by, and pays when it may not stand any more what it was opened on. */
async function payLate(world: World, step: StepOf<'payLate'>): Promise<void> {
  const { lms, cast, bank } = world
  const instance = world.instances[step.on]
  const buyer = pick(cast.buyers, step.buyer)
  if (!buyer) return
  const { coupon, on } = step
  const cart = { buyer: step.buyer, cart: [step.course], coupon, on, twice: false }
  await ACTS_OF_BUYERS.order(world, { do: 'order', ...cart })
  const [order] = await lms.db.orm.orders
    .where({ userId: buyer.user.id, status: 'CREATED' })
    .orderBy({ createdAt: -1, _id: -1 })
    .limit(1)
    .all()
  if (!order?.gatewayOrderId) return
  await passTime(world, step.wait)
  if (step.isSwept) await runJobs(world, instance, 'reconcile-orders')
  // It may be an older one, where the new was refused.
  const [line] = order.lines
  if (!line) return
  const { listPaise } = line
  const offer = { courseId: line.courseId, listPaise, code: order.couponCode ?? null }
  await turn(world, offer, step.turn)
  const known = new Set(paymentsOf(world, order.gatewayOrderId))
  const isLate = lms.clock.now().getTime() > order.expiresAt.getTime() + GRACE_MS
  const isGone = isLate && (await hasGone(world, offer))
  const proof = bank.pay(order.gatewayOrderId, { outcome: step.outcome, force: false })
  const paid = paymentsOf(world, order.gatewayOrderId).find((id) => !known.has(id))
  if (!proof || paid === undefined) return
  if (step.isHeard)
    await attempt(world, instance, () =>
      instance.as(buyer).orders.verify.mutate({ ...proof, orderId: order._id }),
    )
  const after = await lms.db.orm.orders.where({ _id: order._id }).first()
  if (isGone && after?.paymentId === paid && (await hasGone(world, offer)))
    world.faults.push(`order ${order._id} was paid late, on an offer that is gone`)
}

type Offer = { courseId: string; listPaise: number; code: string | null }

async function turn(world: World, offer: Offer, how: StepOf<'payLate'>['turn']): Promise<void> {
  const courses = world.lms.db.orm.courses.where({ _id: offer.courseId })
  if (how === 'off') await setCoupon(world, offer.code ?? undefined, false)
  if (how === 'dearer') await courses.update({ pricePaise: offer.listPaise + 5_000 })
  if (how === 'cheaper') await courses.update({ pricePaise: 100 })
  if (how === 'shelved') await courses.update({ status: 'DRAFT' })
}

async function hasGone({ lms }: World, { courseId, listPaise, code }: Offer): Promise<boolean> {
  const course = await lms.db.orm.courses.where({ _id: courseId }).first()
  if (course?.status !== 'PUBLISHED' || course.pricePaise > listPaise) return true
  return code !== null && (await lms.db.orm.coupons.where({ code }).first())?.active === false
}

const paymentsOf = ({ bank }: World, gatewayOrderId: string): string[] =>
  bank
    .ledger()
    .orders.filter(({ id }) => id === gatewayOrderId)
    .flatMap(({ payments }) => payments.map(({ id }) => id))
