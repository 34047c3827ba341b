import { ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'
import type { OrderDocument, OrderStatus } from './order.ts'

/** An order somebody fights over must not grow without end. */
const TIMELINE_ENTRIES = 60

/** A line of the timeline: what happened, and whatever tells it from others of its kind. */
export type Note = { event: string; detail?: string }

type Transition = {
  id: string
  from: OrderStatus[]
  /** Further conditions on the stored order; `null` means absent. */
  where?: Record<string, string | number | null>
  set: Record<string, string | Date | number>
  unset?: string[]
  note: Note
}

/** What an open order keeps others from taking; none of it outlives a change of status. */
const OF_OPEN = ['openKey', 'openSlot']

/**
 * The only way an order changes: one conditional write with its line in the timeline. Answers the order as it is
 * then, or null when somebody else was first. By the driver, since Prisma cannot cap an array.
 */
export async function transitionOrder(
  deps: Uses<'db' | 'now'>,
  { id, from, where = {}, set, unset = [], note }: Transition,
): Promise<OrderDocument | null> {
  const at = deps.now()
  const gone = set['status'] === undefined ? unset : [...unset, ...OF_OPEN]
  const stored = await orders(deps).findOneAndUpdate(
    { _id: new ObjectId(id), status: { $in: from }, ...where },
    {
      $set: { ...set, updatedAt: at },
      ...(gone.length > 0 && { $unset: Object.fromEntries(gone.map((name) => [name, ''])) }),
      ...pushOf(at, note),
    },
    { returnDocument: 'after' },
  )
  return stored && { ...stored, _id: stored._id.toHexString(), userId: stored.userId.toHexString() }
}

/** Writes into the timeline and changes nothing else. */
export async function noteOrder(deps: Uses<'db' | 'now'>, id: string, note: Note): Promise<void> {
  await orders(deps).updateOne({ _id: new ObjectId(id) }, pushOf(deps.now(), note))
}

/** As above, but a second time is not written: repeated at will, it would push out what happened before. */
export async function noteOnce(deps: Uses<'db' | 'now'>, id: string, note: Note): Promise<void> {
  const isNew = { _id: new ObjectId(id), 'timeline.event': { $ne: note.event } }
  await orders(deps).updateOne(isNew, pushOf(deps.now(), note))
}

/** A line of the timeline; its detail is cut at 300 characters. */
export function entryOf(at: Date, { event, detail }: Note) {
  return { at, event, detail: detail?.slice(0, 300) ?? null }
}

type StoredOrder = Omit<OrderDocument, '_id' | 'userId' | 'timeline'> & {
  _id: ObjectId
  userId: ObjectId
  timeline: ReturnType<typeof entryOf>[]
}

function orders({ db }: Uses<'db'>) {
  return db.driver.collection<StoredOrder>('orders')
}

function pushOf(at: Date, note: Note) {
  return { $push: { timeline: { $each: [entryOf(at, note)], $slice: -TIMELINE_ENTRIES } } }
}
