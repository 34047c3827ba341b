import type { Actor } from '../../auth/sessions.ts'
import { requireLesson } from '../../courses/access.ts'
import type { Lesson } from '../../courses/course.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import { playbackOf, type Playback } from '../../media/playback.ts'
import { accessEndOf, liveGrants } from './enrollment.ts'
import { findGrants } from './grants.ts'
import { publicQuiz, requireQuiz, type Quiz } from '../quizzes/quiz.ts'
import type { LessonRef } from './require-enrolled.ts'

type Content =
  | { kind: 'TEXT'; text: string }
  | { kind: 'VIDEO' | 'FILE'; durationSeconds: number | null; playback: Playback }
  | { kind: 'QUIZ'; quiz: Quiz }

export type OpenLesson = { courseId: string; lessonId: string; title: string } & Content

/** A lesson's content, for whom the one access function lets through. */
export async function openLesson(
  deps: Uses<'db' | 'now' | 'cloudinary'>,
  actor: Actor | null,
  ref: LessonRef,
): Promise<OpenLesson> {
  const { course, lesson } = await requireLesson(deps, actor, ref)
  const content = await contentOf(deps, lesson)
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

export type AccessExplanation = {
  canOpen: boolean
  because:
    | 'OWNER'
    | 'PREVIEW'
    | 'ENROLLED'
    | 'SIGNED_OUT'
    | 'NEVER_ENROLLED'
    | 'ACCESS_REVOKED'
    | 'ACCESS_EXPIRED'
  /** When access ends, or ended. */
  until: Date | null
}

/** Why one can open a lesson, or cannot: the decision itself is the access function's. */
export async function explainAccess(
  deps: Uses<'db' | 'now'>,
  actor: Actor | null,
  ref: LessonRef,
): Promise<AccessExplanation> {
  try {
    const { lesson, viewer } = await requireLesson(deps, actor, ref)
    if (viewer.owner) return { canOpen: true, because: 'OWNER', until: null }
    if (actor && viewer.enrolled) {
      const grants = await findGrants(deps, { userId: actor.id, courseId: ref.courseId })
      const until = accessEndOf(liveGrants(grants, deps.now()))
      return { canOpen: true, because: 'ENROLLED', until }
    }
    if (lesson.preview) return { canOpen: true, because: 'PREVIEW', until: null }
    throw new Error('a lesson was opened for no reason known here')
  } catch (error) {
    const isClosed =
      error instanceof DomainError &&
      (error.reason === 'NOT_ENROLLED' || error.reason === 'UNAUTHENTICATED')
    if (!isClosed) throw error
    return explainRefusal(deps, actor, ref)
  }
}

async function explainRefusal(
  deps: Uses<'db'>,
  actor: Actor | null,
  { courseId }: LessonRef,
): Promise<AccessExplanation> {
  if (!actor) return { canOpen: false, because: 'SIGNED_OUT', until: null }
  const grants = await findGrants(deps, { userId: actor.id, courseId })
  if (grants.length === 0) return { canOpen: false, because: 'NEVER_ENROLLED', until: null }
  const expired = grants.filter(({ revokedAt }) => !revokedAt)
  if (expired.length > 0)
    return { canOpen: false, because: 'ACCESS_EXPIRED', until: accessEndOf(expired) }
  const ends = grants.map(({ revokedAt }) => ({ until: revokedAt }))
  return { canOpen: false, because: 'ACCESS_REVOKED', until: accessEndOf(ends) }
}
