// A course's outline is one value that is changed as a whole: these functions make a new one, and `edit`
// stores it only if nobody else stored another meanwhile.
import { DomainError, refuseInput } from '../errors.ts'
import type { Lesson, Section } from './course.ts'

export const MAX_SECTIONS = 100
export const MAX_LESSONS = 1000

export function withSection(sections: Section[], section: Section, position?: number): Section[] {
  if (sections.length >= MAX_SECTIONS)
    refuseInput('sections', `has at most ${MAX_SECTIONS} sections`)
  return inserted(sections, section, position)
}

export function withSectionRenamed(sections: Section[], id: string, title: string): Section[] {
  requireSection(sections, id)
  return sections.map((section) => (section.id === id ? { ...section, title } : section))
}

export function withSectionMoved(sections: Section[], id: string, position: number): Section[] {
  const section = requireSection(sections, id)
  return inserted(withoutSection(sections, id), section, position)
}

export function withoutSection(sections: Section[], id: string): Section[] {
  requireSection(sections, id)
  return sections.filter((section) => section.id !== id)
}

type LessonPlace = { sectionId: string; position?: number | undefined }

export function withLesson(sections: Section[], lesson: Lesson, place: LessonPlace): Section[] {
  requireSection(sections, place.sectionId)
  if (lessonsOf(sections).length >= MAX_LESSONS)
    refuseInput('lessons', `has at most ${MAX_LESSONS} lessons`)
  return withLessons(sections, place.sectionId, (lessons) =>
    inserted(lessons, lesson, place.position),
  )
}

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

/** Without a section, within the lesson's own. */
export function withLessonMoved(
  sections: Section[],
  id: string,
  { sectionId, position }: { sectionId?: string | undefined; position: number },
): Section[] {
  const lesson = requireLessonIn(sections, id)
  const own = sections.find((section) => section.lessons.includes(lesson))
  const target = requireSection(sections, sectionId ?? own?.id ?? '').id
  return withLessons(withoutLesson(sections, id), target, (lessons) =>
    inserted(lessons, lesson, position),
  )
}

export function withoutLesson(sections: Section[], id: string): Section[] {
  requireLessonIn(sections, id)
  return sections.map((section) => ({
    ...section,
    lessons: section.lessons.filter((lesson) => lesson.id !== id),
  }))
}

export function lessonsOf(sections: Section[]): Lesson[] {
  return sections.flatMap((section) => section.lessons)
}

export function requireSection(sections: Section[], id: string): Section {
  const section = sections.find((one) => one.id === id)
  if (!section) throw new DomainError('NOT_FOUND')
  return section
}

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
