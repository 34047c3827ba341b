import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { databaseUrl } from '../../../sandbox/mongo/start.ts'
import { startLms, type Lms } from '../../support/harness.ts'
import { play } from './acts.ts'
import type { OpenBank } from './bank.ts'
import { openMemoryBankOf } from './banks/memory.ts'
import { openRazorpayBank } from './banks/razorpay.ts'
import { castOf, keepSignedIn, wipe, type Cast } from './cast.ts'
import { comeToRest } from './quiet.ts'
import { isLong } from '../../support/long-mode.ts'
import { RUNS, SEED, STEPS } from './settings.ts'
import { stepsOf, type Step } from './steps.ts'
import { faultsAtRest } from './oracle.ts'
import { closeWorld, openWorld } from './world.ts'

const FIXED_SEEDS = [1, 2, 3, 4]
const SHRINKING_MS = 180_000

let lms: Lms
let cast: Cast
beforeAll(async () => {
  lms = await startLms()
  cast = await castOf(lms)
})

/** Plays the steps in a fresh world, lets it come to rest, and answers what is wrong then. */
async function run(steps: Step[], openBank: OpenBank): Promise<string[]> {
  await wipe(lms, cast)
  await keepSignedIn(lms)
  const url = databaseUrl(inject('mongoUrl'), lms.db.driver.databaseName)
  const world = await openWorld({ lms, cast, databaseUrl: url }, openBank)
  try {
    for (const step of steps) await play(world, step)
    await comeToRest(world)
    return await faultsAtRest(world)
  } finally {
    await closeWorld(world)
  }
}

async function simulate(seed: number, openBank: OpenBank): Promise<void> {
  const property = fc.asyncProperty(stepsOf(STEPS), async (steps) => {
    expect(await run(steps, openBank)).toEqual([])
  })
  const shrinking = { interruptAfterTimeLimit: SHRINKING_MS, markInterruptAsFailure: true }
  await fc.assert(property, {
    seed,
    numRuns: 1,
    ...(SEED === null ? { endOnFailure: true } : shrinking),
  })
}

const anySeeds = Array.from({ length: RUNS }, () => randomInt(2 ** 31))
// The short run is the same every time, so that a change is never blamed for another's find.
const seeds = SEED === null ? (isLong ? anySeeds : FIXED_SEEDS) : [SEED]

describe.each([
  ['Razorpay', openRazorpayBank],
  ['a gateway that is nothing like it', openMemoryBankOf],
])('after buyers, %s, the network and the machines did what they liked', (_name, openBank) => {
  it.each(seeds)(
    'every paisa is where it belongs (SIM_SEED=%i)',
    (seed) => simulate(seed, openBank),
    2 * SHRINKING_MS,
  )
})
