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
  withLessonMoved,
  withLessonChanged,
  withoutLesson,
} from './outline.ts'
import { putQuiz, QuizTerms } from './quiz.ts'
import type { Outline } from './sections.ts'
import { lessonOutline, sectionOutline, type LessonOutline } from './public-course.ts'
import { MAX_BODY_CHARS, richText } from './rich-text.ts'

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

/** Without a section, within the lesson's own. */
const Move = z.object({ lessonId: Id, sectionId: Id.optional(), position: Position })
export const LessonMove = orNamed(orNamed(Move, 'lessonId', 'id'), 'position', 'index')
export type LessonMove = z.infer<typeof LessonMove>

export const LessonRemoval = orNamed(z.object({ lessonId: Id }), 'lessonId', 'id')
export type LessonRemoval = z.infer<typeof LessonRemoval>

/** Text and quiz are stored first: a lesson that is listed has its content. */
export async function addLesson(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  { sectionId, title, kind, preview, body, quiz, mediaId, position }: NewLesson,
): Promise<LessonOutline> {
  requireSection(course.sections, sectionId)
  checkFits(kind, { body, quiz })
  const attached = await requireAttachableMedia(deps, course, { kind, mediaId })
  const lesson = { id: new ObjectId().toHexString(), title, kind, preview, ...attached }
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
  return lessonOutline(lesson)
}

export async function updateLesson(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  { lessonId, title, preview, body, quiz, mediaId }: LessonChanges,
): Promise<LessonOutline> {
  const { kind, mediaId: before } = requireLessonIn(course.sections, lessonId)
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
  if (mediaId !== undefined) await restartRetention(deps, [before])
  return lessonOutline(requireLessonIn(sections, lessonId))
}

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

type Written = { body: string | undefined; quiz: QuizTerms | undefined }

function checkFits(kind: LessonKind, { body, quiz }: Written): void {
  if (body !== undefined && kind !== 'TEXT')
    refuseInput('body', `a lesson of kind ${kind} has no text`)
  if (quiz !== undefined && kind !== 'QUIZ')
    refuseInput('quiz', `a lesson of kind ${kind} has no questions`)
}

async function putContents(
  deps: Uses<'db' | 'now'>,
  of: { courseId: string; lessonId: string },
  { body, quiz }: Written,
): Promise<void> {
  if (body !== undefined) await putLessonText(deps, of, body)
  if (quiz !== undefined) await putQuiz(deps, of, quiz)
}
