import { createHash } from 'node:crypto'
import type { Lms } from './harness.ts'

/** What may change though a call was refused: counters of guesses, and the log of who tried what. */
const BOOKKEEPING = ['throttles', 'audit_entries', 'leases', 'sessions', '_prisma_marker']

export type State = Map<string, string>

type Found = { of: string; document: { _id?: unknown } }

/** Every document of the database by its place, as a digest; sign-ins are counted, not compared. */
export async function stateOf({ db }: Lms): Promise<State> {
  const collections = await db.driver.listCollections({}, { nameOnly: true }).toArray()
  const compared = collections.map(({ name }) => name).filter((name) => !BOOKKEEPING.includes(name))
  const state: State = new Map()
  state.set('sessions', String(await db.driver.collection('sessions').countDocuments()))
  for (const { of, document } of await everyDocument(db, compared)) {
    const text = JSON.stringify(document)
    state.set(`${of}/${String(document._id)}`, createHash('sha1').update(text).digest('hex'))
  }
  return state
}

// In one question, since this is asked after each of a thousand calls.
async function everyDocument(db: Lms['db'], [first = '', ...others]: string[]): Promise<Found[]> {
  const shown = (of: string) => [{ $project: { _id: 0, of: { $literal: of }, document: '$$ROOT' } }]
  const unions = others.map((name) => ({ $unionWith: { coll: name, pipeline: shown(name) } }))
  const pipeline = [...shown(first), ...unions]
  return db.driver.collection(first).aggregate<Found>(pipeline, { batchSize: 10_000 }).toArray()
}

/** The places where the second state is another than the first. */
export function differences(before: State, after: State): string[] {
  const places = new Set([...before.keys(), ...after.keys()])
  return [...places].filter((place) => before.get(place) !== after.get(place)).sort()
}
