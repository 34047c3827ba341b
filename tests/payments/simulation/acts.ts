import type { World } from './world.ts'
import { replaceDead } from './world.ts'
import { ACTS_OF_ADMINS } from './acts-of-admins.ts'
import { ACTS_OF_BUYERS } from './acts-of-buyers.ts'
import { ACTS_OF_BANK } from './acts-of-bank.ts'
import { ACTS_OF_FATE } from './acts-of-fate.ts'
import { ACTS_OF_REVOKED } from './acts-of-revoked.ts'
import type { Single, Step, StepOf } from './steps.ts'

type Acts = { [Name in Single['do']]: (world: World, step: StepOf<Name>) => Promise<void> }

const ACTS: Acts = {
  ...ACTS_OF_BUYERS,
  ...ACTS_OF_ADMINS,
  ...ACTS_OF_REVOKED,
  ...ACTS_OF_BANK,
  ...ACTS_OF_FATE,
}

export async function play(world: World, step: Step): Promise<void> {
  if (step.do === 'atOnce') await Promise.all(step.steps.map((one) => act(world, one)))
  else await act(world, step)
  // The work that an answer does not wait for is part of its step, so that a run can be played again.
  await Promise.all(world.instances.map(({ deps }) => deps.background.idle()))
  await replaceDead(world)
}

function act(world: World, step: Single): Promise<void> {
  const run = ACTS[step.do] as (world: World, step: Single) => Promise<void>
  return run(world, step)
}
