import type { LedgerPayment } from '../../support/ledger.ts'
import type { Delivery } from './bank.ts'
import { isExcused, pick } from './calls.ts'
import type { StepOf } from './steps.ts'
import type { Instance, World } from './world.ts'

export const ACTS_OF_BANK = {
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

const LONG_MS = 60_000

/** Any event may arrive, at either instance, again and again, out of order. */
async function deliver(world: World, step: StepOf<'deliver'>): Promise<void> {
  const at = pick(waiting(world), step.event)
  const delivery = at === undefined ? undefined : world.bank.deliveries()[at]
  if (at === undefined || !delivery) return
  const instance = world.instances[step.on]
  if (step.isForged) {
    const status = await post(instance, delivery, { isForged: true })
    if (status !== 400 && status !== 503) world.faults.push(`a forged event was answered ${status}`)
    return
  }
  await Promise.all(
    Array.from({ length: step.copies }, () => deliverOnce(world, instance, { at, delivery })),
  )
}

/** Most often what has not arrived yet, and sometimes what has. */
function waiting({ bank, dropped, arrived }: World): number[] {
  const all = bank
    .deliveries()
    .map((_, at) => at)
    .filter((at) => !dropped.has(at))
  const fresh = all.filter((at) => !arrived.has(at))
  return [...fresh, ...fresh, ...all]
}

export async function deliverOnce(
  world: World,
  instance: Instance,
  { at, delivery }: { at: number; delivery: Delivery },
): Promise<void> {
  const before = instance.database.spoiled()
  const { now } = world.lms.clock
  const sentAt = now().getTime()
  const status = await post(instance, delivery)
  // A signature may say when it was made, and the clock have jumped while it was on its way: it is sent
  // again.
  const isOld = Math.abs(now().getTime() - sentAt) > LONG_MS
  if (status === 200) {
    world.arrived.add(at)
    world.acknowledged.add(delivery.eventId)
  } else if (status === 400 && isOld) {
    return
  } else if (status !== 503 || !isExcused(instance.database, before)) {
    world.faults.push(`an event was answered ${status}`)
  }
}

async function post(
  { url }: Instance,
  { path, body, headers }: Delivery,
  how = { isForged: false },
): Promise<number> {
  try {
    const response = await fetch(`${url}${path}`, { method: 'POST', headers: headers(how), body })
    await response.arrayBuffer()
    return response.status
  } catch {
    // Nobody is there, or not any more.
    return 503
  }
}

function drop(world: World, step: StepOf<'drop'>): Promise<void> {
  const waiting = world.bank
    .deliveries()
    .map((_, at) => at)
    .filter((at) => !world.arrived.has(at))
  const at = pick(waiting, step.event)
  if (at !== undefined) world.dropped.add(at)
  return Promise.resolve()
}

const payments = ({ bank }: World) => bank.ledger().orders.flatMap((order) => order.payments)

/** One that is so, if there is any. */
function payment(
  world: World,
  step: { payment: number },
  isSo: (payment: LedgerPayment) => boolean = () => true,
): string | undefined {
  return pick(payments(world).filter(isSo), step.payment)?.id
}

function late(world: World, step: StepOf<'late'>): Promise<void> {
  const id = payment(world, step, ({ status }) => status === 'failed')
  if (id !== undefined) world.bank.authorizeLate(id)
  return Promise.resolve()
}

function capture(world: World, step: StepOf<'capture'>): Promise<void> {
  const id = payment(world, step, ({ status }) => status === 'authorized')
  if (id !== undefined) world.bank.capture(id)
  return Promise.resolve()
}

function dashboard(world: World, step: StepOf<'dashboard'>): Promise<void> {
  const id = payment(world, step)
  if (id !== undefined) world.bank.giveBack(id, step.part === 0 ? undefined : step.part)
  return Promise.resolve()
}

function refundMode(world: World, { mode }: StepOf<'refundMode'>): Promise<void> {
  world.bank.setRefunds(mode)
  return Promise.resolve()
}

function settleRefund(world: World, step: StepOf<'settleRefund'>): Promise<void> {
  const refunds = payments(world).flatMap((one) => one.refunds)
  const open = refunds.filter(({ status }) => status === 'pending')
  const refund = pick(open, step.refund)
  if (refund) world.bank.settleRefund(refund.id, step.isMade ? 'processed' : 'failed')
  return Promise.resolve()
}

function balance(world: World, { paise }: StepOf<'balance'>): Promise<void> {
  world.bank.setBalance(paise)
  return Promise.resolve()
}

function dispute(world: World, step: StepOf<'dispute'>): Promise<void> {
  const id = payment(world, step, ({ captured }) => captured)
  if (id !== undefined) world.bank.openDispute(id, step.part === 0 ? undefined : step.part)
  return Promise.resolve()
}

function moveDispute(world: World, step: StepOf<'moveDispute'>): Promise<void> {
  const disputes = payments(world).flatMap((one) => one.disputes)
  const chosen = pick(disputes, step.dispute)
  if (chosen) world.bank.moveDispute(chosen.id, step.move)
  return Promise.resolve()
}

function settings(world: World, { autoCapture, listLag }: StepOf<'settings'>): Promise<void> {
  world.bank.setHabits({ autoCapture, listLagMs: listLag ? 3 * 60_000 : 0 })
  return Promise.resolve()
}
