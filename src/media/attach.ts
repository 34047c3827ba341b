import { ObjectId } from 'mongodb'
import { findCourse, type CourseDocument } from '../courses/course.ts'
import { editCourse } from '../courses/edit.ts'
import { lessonsOf } from '../courses/outline.ts'
import type { Uses } from '../deps.ts'
import { imageUrlOf, type MediaDocument } from './media.ts'
import { markRemoved } from './transitions.ts'

/**
 * Shows a READY file where its purpose says, however often it is asked, and answers the file as it is then.
 * Of pictures the newest upload is shown: one that was asked for earlier and came in late is removed, as is
 * the one it replaces. A video's length becomes that of its lessons.
 */
export async function attach(
  deps: Uses<'db' | 'now' | 'cloudinary'>,
  media: MediaDocument,
): Promise<MediaDocument> {
  switch (media.purpose) {
    case 'avatar':
      await setAvatar(deps, media)
      break
    case 'course-image':
      await setCourseImage(deps, media)
      break
    case 'lesson-video':
      await setDuration(deps, media)
      break
    case 'lesson-file':
      break
  }
  // Whoever removes a file marks it first and then detaches it, so one of the two sees the other.
  const current = await deps.db.orm.media.where({ _id: media._id }).first()
  if (current?.state !== 'READY') await detach(deps, media)
  return current ?? media
}

/** Shows a removed picture nowhere any more. Lessons keep naming removed files; they do not open. */
export async function detach(deps: Uses<'db' | 'now'>, media: MediaDocument): Promise<void> {
  if (media.purpose === 'avatar') {
    await usersOf(deps).updateOne(
      { _id: new ObjectId(media.ownerId), avatarMediaId: media._id },
      { $set: { avatarUrl: null, avatarMediaId: null, updatedAt: deps.now() } },
    )
  }
  if (media.purpose !== 'course-image') return
  const course = await findCourseOf(deps, media)
  if (course?.imageMediaId !== media._id) return
  await editCourse(deps, course, (current) =>
    current.imageMediaId === media._id ? { imageUrl: null, imageMediaId: null } : {},
  )
}

/** Stores the new picture only over the one it was compared with; if another came between, compares again. */
async function setAvatar(
  deps: Uses<'db' | 'now' | 'cloudinary'>,
  media: MediaDocument,
): Promise<void> {
  const users = usersOf(deps)
  const owner = { _id: new ObjectId(media.ownerId), deletedAt: null }
  for (;;) {
    const user = await users.findOne(owner, {
      projection: { avatarMediaId: 1 },
    })
    const shown = user?.avatarMediaId ?? null
    if (shown === media._id) return
    if (!user || (await isNewer(deps, shown, media))) {
      await markRemoved(deps, media._id)
      return
    }
    const { modifiedCount } = await users.updateOne(
      { ...owner, avatarMediaId: shown },
      {
        $set: {
          avatarUrl: imageUrlOf(deps, media),
          avatarMediaId: media._id,
          updatedAt: deps.now(),
        },
      },
    )
    if (modifiedCount === 0) continue
    if (shown !== null) await markRemoved(deps, shown)
    return
  }
}

async function setCourseImage(
  deps: Uses<'db' | 'now' | 'cloudinary'>,
  media: MediaDocument,
): Promise<void> {
  const course = await findCourseOf(deps, media)
  if (!course || course.imageMediaId === media._id) return
  let shown: string | null = null
  const edited = await editCourse(deps, course, async (current) => {
    shown = current.imageMediaId
    if (await isNewer(deps, shown, media)) return {}
    return { imageUrl: imageUrlOf(deps, media), imageMediaId: media._id }
  })
  const replaced = edited.imageMediaId === media._id ? shown : media._id
  if (replaced !== null && replaced !== edited.imageMediaId) await markRemoved(deps, replaced)
}

/** Whether the upload of the picture shown was begun after this one; a removed picture gives way to any. */
async function isNewer(
  { db }: Uses<'db'>,
  shownId: string | null,
  media: MediaDocument,
): Promise<boolean> {
  const shown = shownId === null ? null : await db.orm.media.where({ _id: shownId }).first()
  if (shown?.state !== 'READY') return false
  const lead = shown.createdAt.getTime() - media.createdAt.getTime()
  return lead > 0 || (lead === 0 && shown._id > media._id)
}

/** An author may give a lesson its video before that has come in; its length is known only now. */
async function setDuration(deps: Uses<'db' | 'now'>, media: MediaDocument): Promise<void> {
  const { _id: mediaId, durationSeconds } = media
  const hasOtherLength = (lesson: { mediaId: string | null; durationSeconds: number | null }) =>
    lesson.mediaId === mediaId && lesson.durationSeconds !== durationSeconds
  const course = await findCourseOf(deps, media)
  if (!course || !lessonsOf(course.sections).some(hasOtherLength)) return
  await editCourse(deps, course, ({ sections }) => ({
    sections: sections.map((section) => ({
      ...section,
      lessons: section.lessons.map((lesson) =>
        hasOtherLength(lesson) ? { ...lesson, durationSeconds } : lesson,
      ),
    })),
  }))
}

function findCourseOf(
  { db }: Uses<'db'>,
  { courseId }: MediaDocument,
): Promise<CourseDocument | null> {
  return courseId === null ? Promise.resolve(null) : findCourse(db, { _id: courseId })
}

type UserRow = { avatarMediaId?: string | null; avatarUrl?: string | null; deletedAt?: Date | null }

function usersOf({ db }: Uses<'db'>) {
  return db.driver.collection<UserRow & { updatedAt: Date }>('users')
}
