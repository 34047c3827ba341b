import { createHash } from 'node:crypto'
import type { Lms } from './harness.ts'

/** What may change though a call was refused: counters of guesses, and the log of who tried what. */
const BOOKKEEPING = ['throttles', 'audit_entries', 'leases', 'sessions', '_prisma_marker']

export type State = Map<string, string>

/** Every document of the database by its place, as a digest; sign-ins are counted, not compared. */
export async function stateOf(lms: Lms): Promise<State> {
  const database = lms.db.driver
  const collections = await database.listCollections({}, { nameOnly: true }).toArray()
  const state: State = new Map()
  await Promise.all(
    collections.map(async ({ name }) => {
      if (name === 'sessions') {
        const count = await database.collection(name).countDocuments()
        state.set('sessions', String(count))
      }
      if (BOOKKEEPING.includes(name)) return
      for await (const document of database.collection(name).find({})) {
        const text = JSON.stringify(document)
        state.set(`${name}/${String(document._id)}`, createHash('sha1').update(text).digest('hex'))
      }
    }),
  )
  return state
}

/** The places where the second state is another than the first. */
export function differences(before: State, after: State): string[] {
  const places = new Set([...before.keys(), ...after.keys()])
  return [...places].filter((place) => before.get(place) !== after.get(place)).sort()
}
