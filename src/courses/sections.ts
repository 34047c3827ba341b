import { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Uses } from '../deps.ts'
import { Id, line, orNamed } from '../fields.ts'
import { restartRetention } from './attachments.ts'
import { removeLessonContents } from './contents.ts'
import type { CourseDocument, Lesson } from './course.ts'
import { editCourse } from './edit.ts'
import {
  MAX_SECTIONS,
  requireSection,
  withSection,
  withSectionMoved,
  withSectionRenamed,
  withoutSection,
} from './outline.ts'
import { sectionOutline, type SectionOutline } from './public-course.ts'

const Title = line(1, 120)
const Position = z.int().min(0).max(MAX_SECTIONS)

export const NewSection = z.object({ title: Title, position: Position.optional() })
export type NewSection = z.infer<typeof NewSection>

/** Here an `id` can only be the section's. */
export const SectionTitle = orNamed(z.object({ sectionId: Id, title: Title }), 'sectionId', 'id')
export type SectionTitle = z.infer<typeof SectionTitle>

const MovedById = orNamed(z.object({ sectionId: Id, position: Position }), 'sectionId', 'id')
export const SectionMove = orNamed(MovedById, 'position', 'index')
export type SectionMove = z.infer<typeof SectionMove>

export const SectionRemoval = orNamed(z.object({ sectionId: Id }), 'sectionId', 'id')
export type SectionRemoval = z.infer<typeof SectionRemoval>

export type Outline = { sections: SectionOutline[] }

/**
 * Adds a section, at the end unless a position is given. Throws INVALID_INPUT (too many) or
 * CHANGED_MEANWHILE.
 */
export async function addSection(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  { title, position }: NewSection,
): Promise<SectionOutline> {
  const section = { id: new ObjectId().toHexString(), title, lessons: [] }
  await editCourse(deps, course, ({ sections }) => ({
    sections: withSection(sections, section, position),
  }))
  return sectionOutline(section)
}

/** Renames a section. Throws NOT_FOUND or CHANGED_MEANWHILE. */
export async function updateSection(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  { sectionId, title }: SectionTitle,
): Promise<SectionOutline> {
  const { sections } = await editCourse(deps, course, ({ sections }) => ({
    sections: withSectionRenamed(sections, sectionId, title),
  }))
  return sectionOutline(requireSection(sections, sectionId))
}

/** Moves a section; past the end means at the end. Throws NOT_FOUND or CHANGED_MEANWHILE. */
export async function moveSection(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  { sectionId, position }: SectionMove,
): Promise<Outline> {
  const { sections } = await editCourse(deps, course, ({ sections }) => ({
    sections: withSectionMoved(sections, sectionId, position),
  }))
  return { sections: sections.map(sectionOutline) }
}

/**
 * Removes a section with its lessons and their texts and quizzes; their media is kept for thirty days more.
 * Throws NOT_FOUND, CHANGED_MEANWHILE, or COURSE_NOT_READY if a published course would be left without a
 * lesson.
 */
export async function removeSection(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  { sectionId }: SectionRemoval,
): Promise<Outline> {
  let removed: Lesson[] = []
  const { sections } = await editCourse(deps, course, ({ sections }) => {
    removed = requireSection(sections, sectionId).lessons
    return { sections: withoutSection(sections, sectionId) }
  })
  await removeLessonContents(
    deps,
    removed.map(({ id }) => id),
  )
  await restartRetention(
    deps,
    removed.map(({ mediaId }) => mediaId),
  )
  return { sections: sections.map(sectionOutline) }
}
