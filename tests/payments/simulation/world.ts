// One run's world: a bank of its own, two instances of the server on one database, each with a MongoDB
// that may fail it, and the people and courses that all runs share. Webhooks are carried by the steps, not by
// the bank.
import { Writable } from 'node:stream'
import { loadConfig } from '../../../src/config.ts'
import { openDeps, type Deps } from '../../../src/deps.ts'
import { openLog } from '../../../src/log.ts'
import { serve } from '../../../src/server.ts'
import type { Person } from '../../support/builders/people.ts'
import { visitorAt, type Client } from '../../support/client.ts'
import { environmentOf, type Lms } from '../../support/harness.ts'
import type { Bank, OpenBank, Proof } from './bank.ts'
import type { Cast } from './cast.ts'
import { openFlakyDatabase, type FlakyDatabase } from './flaky-database.ts'

export type Instance = {
  url: string
  deps: Deps
  database: FlakyDatabase
  /** This person's client, talking to this instance. */
  as: (person: Person) => Client
  /** Errors logged while its database was well: there is no excuse for those. */
  complaints: string[]
  stop: () => Promise<void>
}

export type World = {
  lms: Lms
  cast: Cast
  bank: Bank
  instances: [Instance, Instance]
  /** Where the database really is. */
  databaseUrl: string
  /** Payments as the browsers were told of them: what orders.verify takes. */
  checkouts: { orderId: string; buyer: number; proof: Proof }[]
  /** Event ids that were answered 200. */
  acknowledged: Set<string>
  /** Places in the list of deliveries that never arrive. */
  dropped: Set<number>
  arrived: Set<number>
  /** What went wrong on the way, in words. */
  faults: string[]
  /** Instances that died and are being cleaned away. */
  stopping: Promise<void>[]
}

type Place = Pick<World, 'lms' | 'cast' | 'databaseUrl'>

export async function openWorld(place: Place, openBank: OpenBank): Promise<World> {
  const bank = await openBank(place.lms.clock.now)
  const base = { ...place, bank }
  return {
    ...base,
    instances: [await openInstance(base), await openInstance(base)],
    checkouts: [],
    acknowledged: new Set(),
    dropped: new Set(),
    arrived: new Set(),
    faults: [],
    stopping: [],
  }
}

type Base = Pick<World, 'lms' | 'bank' | 'databaseUrl'>

async function openInstance({ lms, bank, databaseUrl }: Base): Promise<Instance> {
  const database = await openFlakyDatabase(databaseUrl)
  const complaints: string[] = []
  const now = lms.clock.now
  const log = openLog(
    'error',
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        const line = chunk.toString().trim()
        // Of a 503, the line about the request is all there should be.
        if (database.spoiled() === 0 && !line.includes('failed with status code 503'))
          complaints.push(line)
        done()
      },
    }),
  )
  const config = loadConfig({
    ...environmentOf(lms, database.databaseUrl),
    ...bank.environment,
  })
  const deps = await openDeps(config, { now, log, gateways: bank.openGateways(config, now) })
  const running = await serve(deps, { host: '127.0.0.1', port: 0, jobs: [] })
  const clients = new Map<Person, Client>()
  return {
    url: running.url,
    deps,
    database,
    complaints,
    as: (person) => {
      const known = clients.get(person) ?? visitorAt(running.url, person).api
      clients.set(person, known)
      return known
    },
    stop: async () => {
      await running.stop()
      database.close()
    },
  }
}

/** Puts a new instance where one has died. */
export async function replaceDead(world: World): Promise<void> {
  for (const at of [0, 1] as const) {
    const instance = world.instances[at]
    if (!instance.database.isDead()) continue
    world.instances[at] = await openInstance(world)
    world.stopping.push(instance.stop())
    world.faults.push(...instance.complaints)
  }
}

export async function closeWorld(world: World): Promise<void> {
  await Promise.all([...world.stopping, ...world.instances.map((instance) => instance.stop())])
  await world.bank.close()
}
