import { attempt, expectRefusal, pick } from './calls.ts'
import type { StepOf } from './steps.ts'
import type { World } from './world.ts'

export const ACTS_OF_BUYERS = { order, pay, verify, askBack }

async function order(world: World, step: StepOf<'order'>): Promise<void> {
  const { buyers, courses, coupons } = world.cast
  const buyer = pick(buyers, step.buyer)
  if (!buyer) return
  const courseIds = step.cart.flatMap((at) => pick(courses, at) ?? [])
  const couponCode = step.coupon === null ? undefined : pick(coupons, step.coupon)
  const input = { courseIds, ...(couponCode !== undefined && { couponCode }) }
  const instances = step.twice ? world.instances : [world.instances[step.on]]
  const made = new Set<string>()
  const heard = await Promise.all(
    instances.map((instance) =>
      attempt(world, instance, async () => {
        const { checkout } = await instance.as(buyer).orders.create.mutate(input)
        if (checkout) made.add(checkout.order_id)
      }),
    ),
  )
  if (made.size > 1) world.faults.push('a double click opened two orders at the gateway')
  if (made.size > 0 && heard.some(({ reason }) => reason === 'COUPON_USED_UP'))
    world.faults.push('a double click was refused the coupon it holds')
}

/** Whoever came to a checkout of the gateway's may pay there, today or next week. */
async function pay(world: World, step: StepOf<'pay'>): Promise<void> {
  const theirs = pick(world.bank.ledger().orders, step.order)
  if (!theirs?.reference) return
  const proof = world.bank.pay(theirs.id, {
    outcome: step.outcome,
    force: step.force,
    ...(step.amount !== null && { amountPaise: Math.max(100, theirs.amountPaise + step.amount) }),
    ...(step.currency !== null && { currency: step.currency }),
  })
  if (!proof) return
  const ours = await world.lms.db.orm.orders.where({ _id: theirs.reference }).first()
  const buyer = world.cast.buyers.findIndex(({ user }) => user.id === ours?.userId)
  world.checkouts.push({ orderId: theirs.reference, buyer, proof })
}

async function verify(world: World, step: StepOf<'verify'>): Promise<void> {
  const paid = pick(world.checkouts, step.checkout)
  if (!paid) return
  const { orderId } = paid
  const instance = world.instances[step.on]
  const stranger = step.as === 'other'
  const person = pick(world.cast.buyers, paid.buyer + (stranger ? 1 : 0))
  const proof = step.as === 'forger' ? world.bank.forged(paid.proof) : paid.proof
  if (!person || !proof) return
  const heard = await attempt(world, instance, () =>
    instance.as(person).orders.verify.mutate({ ...proof, orderId }),
  )
  if (stranger) expectRefusal(world, heard, ['NOT_FOUND'])
  if (step.as === 'forger') expectRefusal(world, heard, ['SIGNATURE_INVALID'])
}

async function askBack(world: World, step: StepOf<'askBack'>): Promise<void> {
  const orders = await world.lms.db.orm.orders.where({ status: 'FULFILLED' }).all()
  const sold = pick(orders, step.order)
  const line = sold && pick(sold.lines, step.line)
  const buyer = world.cast.buyers.find(({ user }) => user.id === sold?.userId)
  if (!line || !buyer) return
  const instance = world.instances[step.on]
  await attempt(world, instance, () =>
    instance.as(buyer).orders.requestRefund.mutate({ orderId: sold._id, courseId: line.courseId }),
  )
}
