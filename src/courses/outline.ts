// A course's outline is one value that is changed as a whole: these functions make a new one, and `edit`
// stores it only if nobody else stored another meanwhile.
import { DomainError, refuseInput } from '../errors.ts'
import type { Lesson, Section } from './course.ts'

export const MAX_SECTIONS = 100
export const MAX_LESSONS = 1000

/** With one more section; refuses more than a hundred. */
export function withSection(sections: Section[], section: Section, position?: number): Section[] {
  if (sections.length >= MAX_SECTIONS)
    refuseInput('sections', `has at most ${MAX_SECTIONS} sections`)
  return inserted(sections, section, position)
}

/** With another title for this section. This and all below throw NOT_FOUND for what is not in the outline. */
export function withSectionRenamed(sections: Section[], id: string, title: string): Section[] {
  requireSection(sections, id)
  return sections.map((section) => (section.id === id ? { ...section, title } : section))
}

/** With this section at another position, from 0. */
export function withSectionMoved(sections: Section[], id: string, position: number): Section[] {
  const section = requireSection(sections, id)
  return inserted(withoutSection(sections, id), section, position)
}

/** Without this section and its lessons. */
export function withoutSection(sections: Section[], id: string): Section[] {
  requireSection(sections, id)
  return sections.filter((section) => section.id !== id)
}

type LessonPlace = { sectionId: string; position?: number | undefined }

/** With one more lesson in this section; refuses more than a thousand in a course. */
export function withLesson(sections: Section[], lesson: Lesson, place: LessonPlace): Section[] {
  requireSection(sections, place.sectionId)
  if (lessonsOf(sections).length >= MAX_LESSONS)
    refuseInput('lessons', `has at most ${MAX_LESSONS} lessons`)
  return withLessons(sections, place.sectionId, (lessons) =>
    inserted(lessons, lesson, place.position),
  )
}

/** With this lesson changed, wherever it is. */
export function withLessonChanged(
  sections: Section[],
  id: string,
  change: (lesson: Lesson) => Lesson,
): Section[] {
  requireLessonIn(sections, id)
  return sections.map((section) => ({
    ...section,
    lessons: section.lessons.map((lesson) => (lesson.id === id ? change(lesson) : lesson)),
  }))
}

/** With this lesson at another position, from 0, of another section or of its own. */
export function withLessonMoved(
  sections: Section[],
  id: string,
  { sectionId, position }: { sectionId?: string | undefined; position: number },
): Section[] {
  const lesson = requireLessonIn(sections, id)
  const current = sections.find((section) => section.lessons.includes(lesson))
  const target = requireSection(sections, sectionId ?? current?.id ?? '').id
  return withLessons(withoutLesson(sections, id), target, (lessons) =>
    inserted(lessons, lesson, position),
  )
}

/** Without this lesson. */
export function withoutLesson(sections: Section[], id: string): Section[] {
  requireLessonIn(sections, id)
  return sections.map((section) => ({
    ...section,
    lessons: section.lessons.filter((lesson) => lesson.id !== id),
  }))
}

/** Every lesson, in the order of the course. */
export function lessonsOf(sections: Section[]): Lesson[] {
  return sections.flatMap((section) => section.lessons)
}

/** The section of this id. Throws NOT_FOUND. */
export function requireSection(sections: Section[], id: string): Section {
  const section = sections.find((one) => one.id === id)
  if (!section) throw new DomainError('NOT_FOUND')
  return section
}

/** The lesson of this id, in whatever section. Throws NOT_FOUND. */
export function requireLessonIn(sections: Section[], id: string): Lesson {
  const lesson = lessonsOf(sections).find((one) => one.id === id)
  if (!lesson) throw new DomainError('NOT_FOUND')
  return lesson
}

function withLessons(
  sections: Section[],
  sectionId: string,
  change: (lessons: Lesson[]) => Lesson[],
): Section[] {
  return sections.map((section) =>
    section.id === sectionId ? { ...section, lessons: change(section.lessons) } : section,
  )
}

/** Past the end means at the end. */
function inserted<Item>(items: Item[], item: Item, position = items.length): Item[] {
  return items.toSpliced(position, 0, item)
}
