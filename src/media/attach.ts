import { ObjectId } from 'mongodb'
import { findCourse, type CourseDocument } from '../courses/course.ts'
import { editCourse } from '../courses/edit.ts'
import { lessonsOf } from '../courses/outline.ts'
import type { Uses } from '../deps.ts'
import { imageUrlOf, markRemoved, type MediaDocument } from './media.ts'

type Needs = Uses<'db' | 'now' | 'cloudinary'>

/**
 * Shows a stored file where its purpose says, however often it is asked. Of pictures the newest is shown: one
 * that was asked for earlier and came in late is removed, as is the one it replaces.
 */
export async function putToUse(deps: Needs, media: MediaDocument): Promise<void> {
  switch (media.purpose) {
    case 'avatar':
      await setAvatar(deps, media)
      break
    case 'course-image':
      await setCourseImage(deps, media)
      break
    case 'lesson-video':
      return setDuration(deps, media)
    case 'lesson-file':
      return
  }
  // Whoever removes a file marks it first and then looks for it in use, so one of the two sees the other.
  const current = await deps.db.orm.media.where({ _id: media._id }).first()
  if (current?.state !== 'READY') await detach(deps, media)
}

/** After the file was marked as removed. */
export async function detach(deps: Needs, media: MediaDocument): Promise<void> {
  if (media.purpose === 'avatar') {
    await usersOf(deps).updateOne(
      { _id: new ObjectId(media.ownerId), avatarMediaId: media._id },
      { $set: { avatarUrl: null, avatarMediaId: null, updatedAt: deps.now() } },
      { maxTimeMS: 5_000 },
    )
  }
  if (media.purpose !== 'course-image') return
  const course = await findCourseOf(deps, media)
  if (course?.imageMediaId !== media._id) return
  await editCourse(deps, course, (current) =>
    current.imageMediaId === media._id ? { imageUrl: null, imageMediaId: null } : {},
  )
}

/** Stored only over the picture it was compared with; otherwise compared again. */
async function setAvatar(deps: Needs, media: MediaDocument): Promise<void> {
  const users = usersOf(deps)
  const whose = { _id: new ObjectId(media.ownerId), deletedAt: null }
  for (;;) {
    const user = await users.findOne(whose, {
      projection: { avatarMediaId: 1 },
      maxTimeMS: 5_000,
    })
    const shown = user?.avatarMediaId ?? null
    if (shown === media._id) return
    if (!user || (await isNewer(deps, shown, media))) {
      await markRemoved(deps, media._id)
      return
    }
    const { modifiedCount } = await users.updateOne(
      { ...whose, avatarMediaId: shown },
      {
        $set: {
          avatarUrl: imageUrlOf(deps, media),
          avatarMediaId: media._id,
          updatedAt: deps.now(),
        },
      },
      { maxTimeMS: 5_000 },
    )
    if (modifiedCount === 0) continue
    if (shown !== null) await markRemoved(deps, shown)
    return
  }
}

async function setCourseImage(deps: Needs, media: MediaDocument): Promise<void> {
  const course = await findCourseOf(deps, media)
  if (!course || course.imageMediaId === media._id) return
  let shown: string | null = null
  const edited = await editCourse(deps, course, async (current) => {
    shown = current.imageMediaId
    if (await isNewer(deps, shown, media)) return {}
    return { imageUrl: imageUrlOf(deps, media), imageMediaId: media._id }
  })
  const goes = edited.imageMediaId === media._id ? shown : media._id
  if (goes !== null && goes !== edited.imageMediaId) await markRemoved(deps, goes)
}

/** Whether the picture shown was asked for after this one; a removed one gives way to any. */
async function isNewer(
  { db }: Needs,
  shownId: string | null,
  media: MediaDocument,
): Promise<boolean> {
  const shown = shownId === null ? null : await db.orm.media.where({ _id: shownId }).first()
  if (shown?.state !== 'READY') return false
  const lead = shown.createdAt.getTime() - media.createdAt.getTime()
  return lead > 0 || (lead === 0 && shown._id > media._id)
}

/** A lesson may be given its video before that has come in; its length is known only now. */
async function setDuration(deps: Needs, media: MediaDocument): Promise<void> {
  const { _id: mediaId, durationSeconds } = media
  const lacksIt = (lesson: { mediaId: string | null; durationSeconds: number | null }) =>
    lesson.mediaId === mediaId && lesson.durationSeconds !== durationSeconds
  const course = await findCourseOf(deps, media)
  if (!course || !lessonsOf(course.sections).some(lacksIt)) return
  await editCourse(deps, course, ({ sections }) => ({
    sections: sections.map((section) => ({
      ...section,
      lessons: section.lessons.map((lesson) =>
        lacksIt(lesson) ? { ...lesson, durationSeconds } : lesson,
      ),
    })),
  }))
}

function findCourseOf({ db }: Needs, { courseId }: MediaDocument): Promise<CourseDocument | null> {
  return courseId === null ? Promise.resolve(null) : findCourse(db, { _id: courseId })
}

type UserRow = { avatarMediaId?: string | null; avatarUrl?: string | null; deletedAt?: Date | null }

function usersOf({ db }: Needs) {
  return db.driver.collection<UserRow & { updatedAt: Date }>('users')
}
