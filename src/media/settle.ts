import { ObjectId } from 'mongodb'
import { findCourse } from '../courses/course.ts'
import { edit } from '../courses/edit.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { imageUrlOf, markReady, markRemoved, refOf, type MediaDocument } from './assets.ts'
import type { StoredAsset } from './cloudinary-account.ts'
import { MAX_PIXELS, TERMS } from './purposes.ts'

type Needs = Uses<'db' | 'now' | 'cloudinary' | 'log'>

/**
 * Takes a stored file into use, once, whoever tells of it first. What we would not have accepted ourselves,
 * or was removed while it was coming in, is removed.
 */
export async function settle(
  deps: Needs,
  media: MediaDocument,
  asset: StoredAsset,
): Promise<MediaDocument> {
  const fault = faultOf(media, asset)
  if (fault) await markRemoved(deps, media._id)
  const ready = fault ? null : await markReady(deps, media, asset)
  if (ready) {
    await putToUse(deps, ready)
    return ready
  }
  const current = await deps.db.orm.media.where({ _id: media._id }).first()
  if (current?.state === 'READY') return current
  await tryDestroy(deps, media)
  throw fault ?? new DomainError('NOT_FOUND')
}

function faultOf({ purpose }: MediaDocument, asset: StoredAsset): DomainError | null {
  const { formats, maxBytes, resourceType } = TERMS[purpose]
  if (asset.bytes > maxBytes) return new DomainError('FILE_TOO_LARGE')
  if ((asset.width ?? 0) * (asset.height ?? 0) > MAX_PIXELS)
    return new DomainError('FILE_TOO_LARGE')
  const isExpected = resourceType === 'raw' || formats.includes(asset.format)
  return isExpected ? null : new DomainError('FILE_TYPE_REFUSED')
}

/** Removes the file itself; what fails here, the sweep does later. */
export async function tryDestroy(
  deps: Uses<'cloudinary' | 'log'>,
  media: MediaDocument,
): Promise<boolean> {
  try {
    await deps.cloudinary.destroy(refOf(media))
    return true
  } catch (error) {
    deps.log.warn({ err: error, mediaId: media._id }, 'a file could not be removed yet')
    return false
  }
}

async function putToUse(deps: Needs, media: MediaDocument): Promise<void> {
  switch (media.purpose) {
    case 'avatar':
      return setAvatar(deps, media)
    case 'course-image':
      return setCourseImage(deps, media)
    case 'lesson-video':
      return setDuration(deps, media)
    case 'lesson-file':
  }
}

/** Answers what it replaced, in the same write: of pictures set at once, all but the last are removed. */
async function setAvatar(deps: Needs, media: MediaDocument): Promise<void> {
  const replaced = await deps.db.driver
    .collection<{ avatarMediaId?: string | null; deletedAt?: Date | null }>('users')
    .findOneAndUpdate(
      { _id: new ObjectId(media.ownerId), deletedAt: null },
      {
        $set: {
          avatarUrl: imageUrlOf(deps, media),
          avatarMediaId: media._id,
          updatedAt: deps.now(),
        },
      },
      { returnDocument: 'before', projection: { avatarMediaId: 1 }, maxTimeMS: 5_000 },
    )
  if (replaced?.avatarMediaId) await markRemoved(deps, replaced.avatarMediaId)
}

async function setCourseImage(deps: Needs, media: MediaDocument): Promise<void> {
  const course = media.courseId === null ? null : await findCourse(deps.db, { _id: media.courseId })
  if (!course) return
  const replaced: (string | null)[] = []
  await edit(deps, course, (current) => {
    replaced.push(current.imageMediaId)
    return { imageUrl: imageUrlOf(deps, media), imageMediaId: media._id }
  })
  // The last attempt is the one that was stored.
  const last = replaced.at(-1)
  if (last) await markRemoved(deps, last)
}

/** A lesson may be given its video before that has come in; its length is known only now. */
async function setDuration(deps: Needs, media: MediaDocument): Promise<void> {
  const course = media.courseId === null ? null : await findCourse(deps.db, { _id: media.courseId })
  const isUsed = course?.sections.some(({ lessons }) =>
    lessons.some(({ mediaId }) => mediaId === media._id),
  )
  if (!course || isUsed !== true) return
  await edit(deps, course, ({ sections }) => ({
    sections: sections.map((section) => ({
      ...section,
      lessons: section.lessons.map((lesson) =>
        lesson.mediaId === media._id
          ? { ...lesson, durationSeconds: media.durationSeconds }
          : lesson,
      ),
    })),
  }))
}
