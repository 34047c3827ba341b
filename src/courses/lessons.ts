import { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Uses } from '../deps.ts'
import { DomainError, refuseInput } from '../errors.ts'
import { Id, line, orNamed } from '../fields.ts'
import { restartRetention, requireAttachableMedia } from './attachments.ts'
import { putLessonText, removeLessonContents } from './contents.ts'
import type { CourseDocument, LessonKind } from './course.ts'
import { editCourse } from './edit.ts'
import {
  MAX_LESSONS,
  requireLessonIn,
  requireSection,
  withLesson,
  withLessonChanged,
} from './outline.ts'
import { lessonOutline, type LessonOutline } from './public-course.ts'
import { QuizTerms } from './quiz-terms.ts'
import { putQuiz } from './quiz.ts'
import { MAX_BODY_CHARS, richText, type RichText } from './rich-text.ts'

const Title = line(1, 120)
const Body = richText(MAX_BODY_CHARS)
const Position = z.int().min(0).max(MAX_LESSONS)

const LessonTerms = z.object({
  sectionId: Id,
  title: Title,
  kind: z.enum(['VIDEO', 'TEXT', 'FILE', 'QUIZ']),
  preview: z.boolean().default(false),
  body: Body.optional(),
  mediaId: Id.optional(),
  quiz: QuizTerms.optional(),
  position: Position.optional(),
})

/** What opens as `text` may be written under that name, too. */
export const NewLesson = orNamed(LessonTerms, 'body', 'text')
export type NewLesson = z.infer<typeof NewLesson>

const ChangedTerms = z.object({
  lessonId: Id,
  title: Title.optional(),
  preview: z.boolean().optional(),
  body: Body.optional(),
  /** Null takes the file out of the lesson. */
  mediaId: Id.nullable().optional(),
  quiz: QuizTerms.optional(),
})

/** Here an `id` can only be the lesson's. */
export const LessonChanges = orNamed(orNamed(ChangedTerms, 'body', 'text'), 'lessonId', 'id')
export type LessonChanges = z.infer<typeof LessonChanges>

/** A lesson after an edit; `dropped` is what was taken out of its text, such as `<script>`. */
export type EditedLesson = LessonOutline & { dropped: string[] }

/**
 * Adds a lesson to a section, at the end unless a position is given. Text and quiz are stored first: a lesson
 * that is listed has its content.
 *
 * Throws NOT_FOUND (no such section), INVALID_INPUT (a body or quiz that does not fit the kind, media that
 * does not, or more lessons than a course may have), or CHANGED_MEANWHILE.
 */
export async function addLesson(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  { sectionId, title, kind, preview, body, quiz, mediaId, position }: NewLesson,
): Promise<EditedLesson> {
  requireSection(course.sections, sectionId)
  checkFits(kind, { body, quiz })
  const attached = await requireAttachableMedia(deps, course, { kind, mediaId })
  const id = new ObjectId().toHexString()
  const lesson = { id, title, kind, preview, ...attached, addedAt: deps.now() }
  await putContents(deps, { courseId: course._id, lessonId: lesson.id }, { body, quiz })
  try {
    await editCourse(deps, course, ({ sections }) => ({
      sections: withLesson(sections, lesson, { sectionId, position }),
    }))
  } catch (error) {
    // Only a refusal says for sure that the lesson was not listed.
    if (error instanceof DomainError) await removeLessonContents(deps, [lesson.id])
    throw error
  }
  return { ...lessonOutline(lesson), dropped: body?.dropped ?? [] }
}

/**
 * Changes what is given of a lesson; its kind stays. A null `mediaId` detaches its media. Throws NOT_FOUND,
 * INVALID_INPUT as `addLesson` does, or CHANGED_MEANWHILE.
 */
export async function updateLesson(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  { lessonId, title, preview, body, quiz, mediaId }: LessonChanges,
): Promise<EditedLesson> {
  const { kind, mediaId: mediaIdBefore } = requireLessonIn(course.sections, lessonId)
  checkFits(kind, { body, quiz })
  const attached =
    mediaId === undefined ? {} : await requireAttachableMedia(deps, course, { kind, mediaId })
  const { sections } = await editCourse(deps, course, ({ sections }) => ({
    sections: withLessonChanged(sections, lessonId, (lesson) => ({
      ...lesson,
      ...(title !== undefined && { title }),
      ...(preview !== undefined && { preview }),
      ...attached,
    })),
  }))
  await putContents(deps, { courseId: course._id, lessonId }, { body, quiz })
  if (mediaId !== undefined) await restartRetention(deps, [mediaIdBefore])
  const edited = lessonOutline(requireLessonIn(sections, lessonId))
  return { ...edited, dropped: body?.dropped ?? [] }
}

type GivenContents = { body: RichText | undefined; quiz: QuizTerms | undefined }

function checkFits(kind: LessonKind, { body, quiz }: GivenContents): void {
  if (body !== undefined && kind !== 'TEXT')
    refuseInput('body', `a lesson of kind ${kind} has no text`)
  if (quiz !== undefined && kind !== 'QUIZ')
    refuseInput('quiz', `a lesson of kind ${kind} has no questions`)
}

async function putContents(
  deps: Uses<'db' | 'now'>,
  of: { courseId: string; lessonId: string },
  { body, quiz }: GivenContents,
): Promise<void> {
  if (body !== undefined) await putLessonText(deps, of, body.html)
  if (quiz !== undefined) await putQuiz(deps, of, quiz)
}
