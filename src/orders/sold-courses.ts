import { ObjectId } from 'mongodb'
import { maySell, ON_SALE } from '../courses/shelf.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'

/** What a sale takes over of a course: what is promised with it, and how much of it there is. */
export type SoldCourse = {
  id: string
  ownerId: string
  title: string
  pricePaise: number
  currency: string
  refundDays: number
  refundMaxPercent: number
  lessonCount: number
  /** Absent where the shop's own rate holds. */
  gstPercent?: number | null
}

type Row = Omit<SoldCourse, 'id' | 'ownerId'> & { _id: ObjectId; ownerId: ObjectId }

const LESSONS = { $sum: { $map: { input: '$sections', in: { $size: '$$this.lessons' } } } }

/** These courses, each on sale, by their ids in order. Throws NOT_FOUND. By the driver: only lessons are counted. */
export async function requireSold({ db }: Uses<'db'>, ids: string[]): Promise<SoldCourse[]> {
  const rows = await db.driver
    .collection('courses')
    .aggregate<Row>([
      { $match: { _id: { $in: ids.map((id) => new ObjectId(id)) }, ...ON_SALE } },
      { $sort: { _id: 1 } },
      {
        $project: {
          ...{ ownerId: 1, title: 1, pricePaise: 1, currency: 1 },
          ...{ refundDays: 1, refundMaxPercent: 1, lessonCount: LESSONS, gstPercent: 1 },
        },
      },
    ])
    .toArray()
  const owners = rows.map(({ ownerId }) => ownerId.toHexString())
  if (rows.length < ids.length || !(await maySell(db, owners))) throw new DomainError('NOT_FOUND')
  return rows.map(({ _id, ownerId, ...course }) => ({
    ...course,
    id: _id.toHexString(),
    ownerId: ownerId.toHexString(),
  }))
}
