import { ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'
import type { OrderStatus } from './order.ts'

/** An order somebody fights over must not grow without end. */
const TIMELINE_ENTRIES = 60

export type Note = { event: string; detail?: string }

type Move = {
  id: string
  from: OrderStatus[]
  /** Further conditions on the stored order; `null` means absent. */
  where?: Record<string, string | number | null>
  set: Record<string, string | Date | number>
  unset?: string[]
  note: Note
}

/**
 * The only way an order changes: one conditional write with its line in the timeline. False: someone else
 * was first. By the driver, since Prisma cannot cap an array.
 */
export async function moveOrder(deps: Uses<'db' | 'now'>, move: Move): Promise<boolean> {
  const { id, from, where = {}, set, unset = [], note } = move
  const at = deps.now()
  const { modifiedCount } = await orders(deps).updateOne(
    { _id: new ObjectId(id), status: { $in: from }, ...where },
    {
      $set: { ...set, updatedAt: at },
      ...(unset.length > 0 && { $unset: Object.fromEntries(unset.map((name) => [name, ''])) }),
      ...pushOf(at, note),
    },
    { maxTimeMS: 5_000 },
  )
  return modifiedCount === 1
}

/** Writes into the timeline and changes nothing else. */
export async function noteOrder(deps: Uses<'db' | 'now'>, id: string, note: Note): Promise<void> {
  await orders(deps).updateOne({ _id: new ObjectId(id) }, pushOf(deps.now(), note), {
    maxTimeMS: 5_000,
  })
}

/** As above, but a second time is not written: repeated at will, it would push out what happened before. */
export async function noteOnce(deps: Uses<'db' | 'now'>, id: string, note: Note): Promise<void> {
  const isNew = { _id: new ObjectId(id), 'timeline.event': { $ne: note.event } }
  await orders(deps).updateOne(isNew, pushOf(deps.now(), note), { maxTimeMS: 5_000 })
}

export function entryOf(at: Date, { event, detail }: Note) {
  return { at, event, detail: detail?.slice(0, 300) ?? null }
}

type Stored = { _id: ObjectId; timeline: ReturnType<typeof entryOf>[] }

function orders({ db }: Uses<'db'>) {
  return db.driver.collection<Stored>('orders')
}

function pushOf(at: Date, note: Note) {
  return { $push: { timeline: { $each: [entryOf(at, note)], $slice: -TIMELINE_ENTRIES } } }
}
