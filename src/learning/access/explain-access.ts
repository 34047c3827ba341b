import type { Actor } from '../../auth/sessions.ts'
import { requireLesson } from '../../courses/access.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import { accessEndOf, liveGrants } from './enrollment.ts'
import { findGrants } from './grants.ts'
import type { LessonRef } from './require-enrolled.ts'

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

/**
 * Why whoever asks can open a lesson, or cannot; the decision itself is `requireLesson`'s. Throws NOT_FOUND
 * where there is no such lesson for them.
 */
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
    return explainClosed(deps, actor, ref)
  }
}

async function explainClosed(
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
