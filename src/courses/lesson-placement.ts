import { z } from 'zod'
import type { Uses } from '../deps.ts'
import { Id, orNamed } from '../fields.ts'
import { restartRetention } from './attachments.ts'
import { removeLessonContents } from './contents.ts'
import type { CourseDocument } from './course.ts'
import { editCourse } from './edit.ts'
import { MAX_LESSONS, requireLessonIn, withLessonMoved, withoutLesson } from './outline.ts'
import { sectionOutline } from './public-course.ts'
import type { Outline } from './sections.ts'

const Position = z.int().min(0).max(MAX_LESSONS)

/** Without a section, within the lesson's own. */
const Move = z.object({ lessonId: Id, sectionId: Id.optional(), position: Position })
export const LessonMove = orNamed(orNamed(Move, 'lessonId', 'id'), 'position', 'index')
export type LessonMove = z.infer<typeof LessonMove>

export const LessonRemoval = orNamed(z.object({ lessonId: Id }), 'lessonId', 'id')
export type LessonRemoval = z.infer<typeof LessonRemoval>

/**
 * Moves a lesson to a place of its own or another section; past the end means at the end. Throws NOT_FOUND.
 */
export async function moveLesson(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  { lessonId, sectionId, position }: LessonMove,
): Promise<Outline> {
  const { sections } = await editCourse(deps, course, ({ sections }) => ({
    sections: withLessonMoved(sections, lessonId, { sectionId, position }),
  }))
  return { sections: sections.map(sectionOutline) }
}

/**
 * Removes a lesson with its text or quiz; its media is kept for thirty days more. Throws NOT_FOUND, or
 * COURSE_NOT_READY for the last lesson of a published course.
 */
export async function removeLesson(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  { lessonId }: LessonRemoval,
): Promise<Outline> {
  let mediaId: string | null = null
  const { sections } = await editCourse(deps, course, ({ sections }) => {
    mediaId = requireLessonIn(sections, lessonId).mediaId
    return { sections: withoutLesson(sections, lessonId) }
  })
  await removeLessonContents(deps, [lessonId])
  await restartRetention(deps, [mediaId])
  return { sections: sections.map(sectionOutline) }
}
