import { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Uses } from '../deps.ts'
import { Id, line, orNamed } from '../fields.ts'
import { noteReleased } from './attachments.ts'
import type { CourseDocument, Lesson } from './course.ts'
import { edit } from './edit.ts'
import { removeContents } from './contents.ts'
import {
  MAX_SECTIONS,
  requireSection,
  withSection,
  withSectionAt,
  withSectionTitle,
  withoutSection,
} from './outline.ts'
import { sectionOutline, type SectionOutline } from './shapes.ts'

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

export const SectionRef = orNamed(z.object({ sectionId: Id }), 'sectionId', 'id')
export type SectionRef = z.infer<typeof SectionRef>

export type Outline = { sections: SectionOutline[] }

export async function addSection(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  { title, position }: NewSection,
): Promise<SectionOutline> {
  const section = { id: new ObjectId().toHexString(), title, lessons: [] }
  await edit(deps, course, ({ sections }) => ({
    sections: withSection(sections, section, position),
  }))
  return sectionOutline(section)
}

export async function updateSection(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  { sectionId, title }: SectionTitle,
): Promise<SectionOutline> {
  const { sections } = await edit(deps, course, ({ sections }) => ({
    sections: withSectionTitle(sections, sectionId, title),
  }))
  return sectionOutline(requireSection(sections, sectionId))
}

export async function moveSection(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  { sectionId, position }: SectionMove,
): Promise<Outline> {
  const { sections } = await edit(deps, course, ({ sections }) => ({
    sections: withSectionAt(sections, sectionId, position),
  }))
  return { sections: sections.map(sectionOutline) }
}

export async function removeSection(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  { sectionId }: SectionRef,
): Promise<Outline> {
  let removed: Lesson[] = []
  const { sections } = await edit(deps, course, ({ sections }) => {
    removed = requireSection(sections, sectionId).lessons
    return { sections: withoutSection(sections, sectionId) }
  })
  await removeContents(
    deps,
    removed.map(({ id }) => id),
  )
  await noteReleased(
    deps,
    removed.map(({ mediaId }) => mediaId),
  )
  return { sections: sections.map(sectionOutline) }
}
