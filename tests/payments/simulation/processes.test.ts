import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { databaseUrl } from '../../../sandbox/mongo/start.ts'
import { startLms, type Lms } from '../../support/harness.ts'
import { openRazorpayBank } from './banks/razorpay.ts'
import { castOf, keepSignedIn, type Cast } from './cast.ts'
import { playOnProcesses } from './processes.ts'
import { comeToRest } from './quiet.ts'
import { isLong } from '../../support/long-mode.ts'
import { SEED } from './settings.ts'
import { stepsOf } from './steps.ts'
import { faultsAtRest } from './oracle.ts'
import { closeWorld, openWorld } from './world.ts'

// Starting a server takes seconds, so this is for the long run; tests/payments/kills.test.ts is the short
// one.
const STEPS = 1_500

let lms: Lms
let cast: Cast
beforeAll(async () => {
  if (!isLong) return
  lms = await startLms()
  cast = await castOf(lms)
})

const seed = SEED ?? randomInt(2 ** 31)

describe.runIf(isLong)('after two servers were killed again and again at their work', () => {
  it(`every paisa is where it belongs (SIM_SEED=${seed})`, { timeout: 3_600_000 }, async () => {
    await keepSignedIn(lms)
    const url = databaseUrl(inject('mongoUrl'), lms.db.driver.databaseName)
    const world = await openWorld({ lms, cast, databaseUrl: url }, openRazorpayBank)
    try {
      const [steps = []] = fc.sample(stepsOf(STEPS), { seed, numRuns: 1 })
      await playOnProcesses(world, steps)
      await comeToRest(world)
      expect(await faultsAtRest(world)).toEqual([])
    } finally {
      await closeWorld(world)
    }
  })
})
