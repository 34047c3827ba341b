// Real servers with their jobs, each in a process of its own, that are killed by SIGKILL and started again.
import { setTimeout } from 'node:timers/promises'
import { startServer, type Server } from '../../../bench/processes.ts'
import { play } from './acts.ts'
import type { Step } from './steps.ts'
import { visitorAt } from '../../support/client.ts'
import { environmentOf } from '../../support/harness.ts'
import type { Instance, World } from './world.ts'

/** `kill` ends it whatever it is doing. */
type Killable = Instance & { kill: () => void; isKilled: () => boolean; server: Server }

/** Steps that a server of another process cannot be told, or that need another clock. */
const NOT_HERE = new Set<Step['do']>(['clock', 'work', 'outage', 'payLate'])

async function startProcess(world: World): Promise<Killable> {
  const env = { ...environmentOf(world.lms, world.databaseUrl), ...world.bank.environment }
  const server = await startServer('src/main.ts', { ...env, LOG_LEVEL: 'silent' })
  const url = `http://127.0.0.1:${server.port}`
  let spoiled = 0
  let isKilled = false
  const nothing = () => undefined
  return {
    server,
    url,
    as: (person) => visitorAt(url, person).api,
    complaints: [],
    deps: {
      ...world.instances[0].deps,
      background: { run: nothing, idle: () => setTimeout(0), stop: () => setTimeout(0) },
    },
    database: {
      databaseUrl: world.databaseUrl,
      refuse: nothing,
      blink: nothing,
      heal: nothing,
      failAt: nothing,
      isDead: () => false,
      // Any call may meet a server that was just killed.
      spoiled: () => (spoiled += 1),
      isShaken: () => false,
      close: nothing,
    },
    kill: () => {
      isKilled = true
      server.child.kill('SIGKILL')
    },
    isKilled: () => isKilled,
    stop: () => Promise.resolve(),
  }
}

/** Plays what can be played of these steps on two real servers, with a kill wherever a step says so. */
export async function playOnProcesses(world: World, steps: Step[]): Promise<number> {
  const inside = world.instances
  const outside: [Killable, Killable] = [await startProcess(world), await startProcess(world)]
  let kills = 0
  try {
    for (const step of steps) {
      world.instances = outside
      if (step.do === 'crash') {
        kills += 1
        const { on, writes } = step
        void setTimeout(writes * 6).then(outside[on].kill)
      } else if (!NOT_HERE.has(step.do)) await play(world, withoutClocks(step))
      for (const at of [0, 1] as const) {
        if (outside[at].isKilled()) outside[at] = await startProcess(world)
      }
    }
  } finally {
    for (const { server } of outside) server.child.kill('SIGKILL')
    world.instances = inside
  }
  return kills
}

function withoutClocks(step: Step): Step {
  if (step.do !== 'atOnce') return step
  const steps = step.steps.filter((one) => !NOT_HERE.has(one.do) && one.do !== 'crash')
  return { ...step, steps }
}
