import { paymentJobs } from '../../../src/payments/jobs.ts'
import { runJob } from '../../support/harness.ts'
import { isExcused } from './calls.ts'
import { keepSignedIn } from './cast.ts'
import type { StepOf } from './steps.ts'
import type { Instance, World } from './world.ts'

export const ACTS_OF_FATE = { work, clock, fault, mend, outage, crash }

async function work(world: World, { job, on, both }: StepOf<'work'>): Promise<void> {
  const instances = both ? world.instances : [world.instances[on]]
  await Promise.all(instances.map((instance) => runJobs(world, instance, job)))
}

/** The background work of one instance, or a part of it. */
export async function runJobs(
  world: World,
  instance: Instance,
  name: string | null = null,
): Promise<void> {
  for (const job of paymentJobs) {
    if (name !== null && job.name !== name) continue
    const before = instance.database.spoiled()
    try {
      await runJob(job, instance.deps)
    } catch (error) {
      if (!isExcused(instance.database, before))
        world.faults.push(`${job.name} failed: ${String(error)}`)
    }
  }
}

async function clock(world: World, { seconds }: StepOf<'clock'>): Promise<void> {
  await passTime(world, seconds)
}

export async function passTime(world: World, seconds: number): Promise<void> {
  world.lms.clock.advance(seconds)
  await keepSignedIn(world.lms)
  await world.bank.tick()
}

function fault(world: World, step: StepOf<'fault'>): Promise<void> {
  world.bank.addFault(step)
  return Promise.resolve()
}

function mend(world: World): Promise<void> {
  world.bank.clearFaults()
  return Promise.resolve()
}

function outage(world: World, { on, kind }: StepOf<'outage'>): Promise<void> {
  const { database } = world.instances[on]
  if (kind === 'refuse') database.refuse()
  else if (kind === 'blink') database.blink()
  else for (const one of world.instances) one.database.heal()
  return Promise.resolve()
}

function crash(world: World, { on, writes, isMade, isLast }: StepOf<'crash'>): Promise<void> {
  world.instances[on].database.failAt({ writes, isMade, isLast })
  return Promise.resolve()
}
