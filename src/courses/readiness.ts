import type { Issue } from '../errors.ts'
import type { Contents } from './contents.ts'
import type { CourseDocument, Lesson, Section } from './course.ts'
import { lessonsOf } from './outline.ts'
import { wordsOf } from './rich-text.ts'

// The least that can be paid at all is one rupee.
const MIN_PRICE_PAISE = 100

type Details = Pick<CourseDocument, 'summary' | 'description' | 'pricePaise'>

/** What the details of a course lack to be on sale. */
export function detailIssuesOf({ summary, description, pricePaise }: Details): Issue[] {
  const issues: Issue[] = []
  if (summary === '') issues.push({ path: 'summary', message: 'is missing' })
  if (wordsOf(description) === '') issues.push({ path: 'description', message: 'is missing' })
  if (pricePaise > 0 && pricePaise < MIN_PRICE_PAISE)
    issues.push({ path: 'pricePaise', message: `is 0 or at least ${MIN_PRICE_PAISE}` })
  return issues
}

const NO_SECTIONS: Issue = { path: 'sections', message: 'are missing' }
const pathOf = (section: number) => `sections.${section}.lessons`

/**
 * What the outline of a course on sale must not lose: a lesson. What else it should have may come piece by
 * piece, as authors extend courses that are on sale.
 */
export function listingIssuesOf(sections: Section[]): Issue[] {
  if (sections.length === 0) return [NO_SECTIONS]
  if (lessonsOf(sections).length > 0) return []
  return sections.map((_, s) => ({ path: pathOf(s), message: 'are missing' }))
}

/** Everything that keeps a course from being published, all at once. */
export function publishingIssuesOf(course: CourseDocument, contents: Contents): Issue[] {
  const issues = detailIssuesOf(course)
  if (course.sections.length === 0) issues.push(NO_SECTIONS)
  for (const [s, section] of course.sections.entries()) {
    const path = pathOf(s)
    if (section.lessons.length === 0) issues.push({ path, message: 'are missing' })
    for (const [l, lesson] of section.lessons.entries()) {
      const fault = lessonIssueOf(lesson, contents)
      if (fault) issues.push({ ...fault, path: `${path}.${l}.${fault.path}` })
    }
  }
  return issues
}

function lessonIssueOf(lesson: Lesson, { texts, media, quizzes }: Contents): Issue | null {
  switch (lesson.kind) {
    case 'TEXT':
      return texts.has(lesson.id) ? null : { path: 'body', message: 'is missing' }
    case 'QUIZ':
      return quizzes.has(lesson.id) ? null : { path: 'quiz', message: 'has no questions' }
    case 'VIDEO':
    case 'FILE': {
      if (lesson.mediaId === null) return { path: 'mediaId', message: 'is missing' }
      const isReady = media.get(lesson.mediaId)?.state === 'READY'
      return isReady ? null : { path: 'mediaId', message: 'is not ready yet' }
    }
  }
}
