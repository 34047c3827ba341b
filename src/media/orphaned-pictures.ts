import type { Document, ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'
import { findMedia, type MediaDocument } from './media.ts'

const BATCH = 100

/** A picture of this purpose is shown by the row `owner` of the collection `of`, in its field `shows`. */
type PictureSlot = {
  purpose: 'avatar' | 'course-image'
  owner: Document
  of: string
  shows: string
}

const PICTURE_SLOTS: PictureSlot[] = [
  { purpose: 'avatar', owner: { $toObjectId: '$ownerId' }, of: 'users', shows: 'avatarMediaId' },
  {
    purpose: 'course-image',
    owner: { $toObjectId: '$courseId' },
    of: 'courses',
    shows: 'imageMediaId',
  },
]

/** Pictures READY since then that no account and no course shows: a process ended before attaching them. */
export async function findOrphanedPictures(
  { db }: Uses<'db'>,
  since: Date,
): Promise<MediaDocument[]> {
  const found = await Promise.all(
    PICTURE_SLOTS.map(({ purpose, owner, of, shows }) =>
      db.driver
        .collection('media')
        .aggregate<{ _id: ObjectId }>(
          [
            { $match: { state: 'READY', purpose, updatedAt: { $gte: since } } },
            { $set: { owner, name: { $toString: '$_id' } } },
            {
              $lookup: {
                from: of,
                localField: 'owner',
                foreignField: '_id',
                pipeline: [{ $project: { shown: `$${shows}` } }],
                as: 'slots',
              },
            },
            { $match: { $expr: { $not: [{ $in: ['$name', '$slots.shown'] }] } } },
            { $limit: BATCH },
            { $project: { _id: 1 } },
          ],
          { maxTimeMS: 20_000 },
        )
        .toArray(),
    ),
  )
  return findMedia(
    { db },
    found.flat().map(({ _id }) => _id.toHexString()),
  )
}
