import type { Actor } from '../../auth/sessions.ts'
import { requireLesson } from '../../courses/access.ts'
import type { Lesson } from '../../courses/course.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import { playbackOf, type Playback } from '../../media/playback.ts'
import { noteOpening } from '../progress/openings.ts'
import { publicQuiz, requireQuiz, type Quiz } from '../quizzes/quiz.ts'
import type { LessonRef } from './require-enrolled.ts'

type Content =
  | { kind: 'TEXT'; text: string }
  | { kind: 'VIDEO' | 'FILE'; durationSeconds: number | null; playback: Playback }
  | { kind: 'QUIZ'; quiz: Quiz }

export type OpenLesson = { courseId: string; lessonId: string; title: string } & Content

/**
 * A lesson's content, for whom `requireLesson` lets through: a visitor too, if it is a preview. That somebody with
 * access has had it is noted.
 *
 * Throws NOT_FOUND, UNAUTHENTICATED or NOT_ENROLLED as `requireLesson` does, and MEDIA_NOT_READY (its video
 * or file has not come in, or was removed).
 */
export async function openLesson(
  deps: Uses<'db' | 'now' | 'cloudinary'>,
  actor: Actor | null,
  ref: LessonRef,
): Promise<OpenLesson> {
  const opening = await requireLesson(deps, actor, ref)
  const { course, lesson } = opening
  const content = await contentOf(deps, lesson)
  // With a time limit, the questions come with an attempt.
  const isHandedOut = content.kind !== 'QUIZ' || content.quiz.questions !== null
  if (actor && isHandedOut) await noteOpening(deps, actor, opening)
  return { courseId: course._id, lessonId: lesson.id, title: lesson.title, ...content }
}

async function contentOf(
  deps: Uses<'db' | 'now' | 'cloudinary'>,
  lesson: Lesson,
): Promise<Content> {
  switch (lesson.kind) {
    case 'TEXT': {
      const text = await deps.db.orm.lesson_texts.where({ lessonId: lesson.id }).first()
      return { kind: 'TEXT', text: text?.body ?? '' }
    }
    case 'QUIZ':
      return { kind: 'QUIZ', quiz: publicQuiz(await requireQuiz(deps, lesson.id)) }
    case 'VIDEO':
    case 'FILE':
      return { kind: lesson.kind, ...(await playbackFor(deps, lesson)) }
  }
}

async function playbackFor(
  deps: Uses<'db' | 'now' | 'cloudinary'>,
  { mediaId }: Lesson,
): Promise<{ durationSeconds: number | null; playback: Playback }> {
  const media = mediaId === null ? null : await deps.db.orm.media.where({ _id: mediaId }).first()
  if (media?.state !== 'READY') throw new DomainError('MEDIA_NOT_READY')
  const { url, expiresAt } = playbackOf(deps, media)
  return { durationSeconds: media.durationSeconds ?? null, playback: { url, expiresAt } }
}
