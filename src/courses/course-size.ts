// How much a course holds is decided where its outline is: each lesson says how many bytes its text or quiz has,
// and every change of one is a change of the outline's version first. So no two authors' edits pass together
// where one would not.
import type { Uses } from '../deps.ts'
import { refuseInput } from '../errors.ts'
import type { Section } from './course.ts'
import { lessonsOf } from './outline.ts'

const MB = 1024 * 1024

/** Of all texts and quizzes of a course together. */
export const MAX_CONTENT_BYTES = 16 * MB

/** Of an outline, as JSON: it is read whole wherever a course is. */
export const MAX_OUTLINE_BYTES = 400 * 1024

/** What a text or the questions and answers of a quiz take up. */
export function bytesOf(content: string | object): number {
  return Buffer.byteLength(typeof content === 'string' ? content : JSON.stringify(content))
}

/** Of all lessons together; what is not known of one counts as nothing. */
export function contentBytesOf(sections: Section[]): number {
  return lessonsOf(sections).reduce((sum, { bytes }) => sum + (bytes ?? 0), 0)
}

/** Refuses a change by which a course would hold more than it may, and more than before. Throws INVALID_INPUT. */
export function requireRoom(before: Section[], after: Section[]): void {
  const content = contentBytesOf(after)
  if (content > MAX_CONTENT_BYTES && content > contentBytesOf(before))
    refuseInput('sections', `hold at most ${MAX_CONTENT_BYTES / MB} MB of texts and quizzes`)
  const outline = bytesOf(after)
  if (outline > MAX_OUTLINE_BYTES && outline > bytesOf(before))
    refuseInput('sections', `have titles of at most ${MAX_OUTLINE_BYTES / 1024} kB in all`)
}

/**
 * The outline with the bytes of every lesson known. Those written before they were counted are measured by the
 * database, which reads no text to us.
 */
export async function withBytesKnown(deps: Uses<'db'>, sections: Section[]): Promise<Section[]> {
  const unknown = lessonsOf(sections).filter(({ kind, bytes }) => bytes === null && hasBytes(kind))
  if (unknown.length === 0) return sections
  const measured = await measure(
    deps,
    unknown.map(({ id }) => id),
  )
  return sections.map((section) => ({
    ...section,
    lessons: section.lessons.map((lesson) =>
      lesson.bytes === null && hasBytes(lesson.kind)
        ? { ...lesson, bytes: measured.get(lesson.id) ?? 0 }
        : lesson,
    ),
  }))
}

const hasBytes = (kind: string): boolean => kind === 'TEXT' || kind === 'QUIZ'

async function measure({ db }: Uses<'db'>, lessonIds: string[]): Promise<Map<string, number>> {
  const rows = ['lesson_texts', 'quizzes'].map((name) =>
    db.driver
      .collection(name)
      .aggregate<{ lessonId: string; bytes: number }>([
        { $match: { lessonId: { $in: lessonIds } } },
        { $project: { lessonId: 1, bytes: { $bsonSize: '$$ROOT' } } },
      ])
      .toArray(),
  )
  return new Map((await Promise.all(rows)).flat().map(({ lessonId, bytes }) => [lessonId, bytes]))
}
