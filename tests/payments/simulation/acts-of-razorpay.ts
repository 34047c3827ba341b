import { createHmac } from 'node:crypto'
import { postEvent, type SentEvent } from '../../support/webhooks.ts'
import { ifRazorpayLets, isExcused, pick } from './calls.ts'
import type { StepOf } from './steps.ts'
import type { Instance, World } from './world.ts'

export const ACTS_OF_RAZORPAY = {
  deliver,
  drop,
  late,
  capture,
  dashboard,
  refundMode,
  settleRefund,
  balance,
  dispute,
  moveDispute,
  settings,
}

/** Any event may arrive, at either instance, again and again, out of order. */
async function deliver(world: World, step: StepOf<'deliver'>): Promise<void> {
  const at = pick(waiting(world), step.event)
  const delivery = at === undefined ? undefined : world.razorpay.deliveries()[at]
  if (at === undefined || !delivery) return
  const instance = world.instances[step.on]
  if (step.isForged) {
    const signature = createHmac('sha256', 'not the secret').update(delivery.body).digest('hex')
    const status = await post(instance, { ...delivery, signature })
    if (status !== 400 && status !== 503) world.faults.push(`a forged event was answered ${status}`)
    return
  }
  await Promise.all(
    Array.from({ length: step.copies }, () => deliverOnce(world, instance, { at, delivery })),
  )
}

/** Most often what has not arrived yet, and sometimes what has. */
function waiting({ razorpay, dropped, arrived }: World): number[] {
  const all = razorpay.state.deliveries.map((_, at) => at).filter((at) => !dropped.has(at))
  const fresh = all.filter((at) => !arrived.has(at))
  return [...fresh, ...fresh, ...all]
}

export async function deliverOnce(
  world: World,
  instance: Instance,
  { at, delivery }: { at: number; delivery: SentEvent },
): Promise<void> {
  const before = instance.database.spoiled()
  const status = await post(instance, delivery)
  if (status === 200) {
    world.arrived.add(at)
    world.acknowledged.add(delivery.eventId)
  } else if (status !== 503 || !isExcused(instance.database, before)) {
    world.faults.push(`an event was answered ${status}`)
  }
}

async function post({ url }: Instance, event: SentEvent): Promise<number> {
  // Nobody may be there, or not any more.
  return postEvent(url, event).catch(() => 503)
}

function drop(world: World, step: StepOf<'drop'>): Promise<void> {
  const { deliveries } = world.razorpay.state
  const waiting = deliveries.map((_, at) => at).filter((at) => !world.arrived.has(at))
  const at = pick(waiting, step.event)
  if (at !== undefined) world.dropped.add(at)
  return Promise.resolve()
}

const payments = ({ razorpay }: World) =>
  [...razorpay.state.payments.values()].map(({ payment }) => payment)

function done(work: () => unknown): Promise<void> {
  ifRazorpayLets(work)
  return Promise.resolve()
}

function late(world: World, step: StepOf<'late'>): Promise<void> {
  const failed = payments(world).filter(({ status }) => status === 'failed')
  const payment = pick(failed, step.payment)
  return done(() => payment && world.razorpay.authorizeLate(payment.id))
}

function capture(world: World, step: StepOf<'capture'>): Promise<void> {
  const held = payments(world).filter(({ status }) => status === 'authorized')
  const payment = pick(held, step.payment)
  return done(() => payment && world.razorpay.capture(payment.id))
}

function dashboard(world: World, step: StepOf<'dashboard'>): Promise<void> {
  const payment = pick(payments(world), step.payment)
  const amount = step.part === 0 ? undefined : step.part
  return done(() => payment && world.razorpay.refund(payment.id, amount))
}

function refundMode(world: World, { mode }: StepOf<'refundMode'>): Promise<void> {
  world.razorpay.settings.refunds = mode
  return Promise.resolve()
}

function settleRefund(world: World, step: StepOf<'settleRefund'>): Promise<void> {
  const open = [...world.razorpay.state.refunds.values()]
    .map(({ refund }) => refund)
    .filter(({ status }) => status === 'pending')
  const refund = pick(open, step.refund)
  const status = step.isMade ? 'processed' : 'failed'
  return done(() => refund && world.razorpay.settleRefund(refund.id, status))
}

function balance(world: World, { paise }: StepOf<'balance'>): Promise<void> {
  world.razorpay.settings.balancePaise = paise
  return Promise.resolve()
}

function dispute(world: World, step: StepOf<'dispute'>): Promise<void> {
  const taken = payments(world).filter(({ captured }) => captured)
  const payment = pick(taken, step.payment)
  return done(() => payment && world.razorpay.openDispute({ paymentId: payment.id }))
}

function moveDispute(world: World, step: StepOf<'moveDispute'>): Promise<void> {
  const chosen = pick([...world.razorpay.state.disputes.keys()], step.dispute)
  return done(() => chosen !== undefined && world.razorpay.moveDispute(chosen, step.move))
}

function settings(world: World, { autoCapture, listLag }: StepOf<'settings'>): Promise<void> {
  world.razorpay.settings.autoCapture = autoCapture
  world.razorpay.settings.listLagMs = listLag ? 3 * 60_000 : 0
  return Promise.resolve()
}
