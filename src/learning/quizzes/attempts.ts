import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import type { Actor } from '../../auth/sessions.ts'
import type { Uses } from '../../deps.ts'
import { Page, type PageOf } from '../../fields.ts'
import { LessonRef, requireEnrolledLesson } from '../access/require-enrolled.ts'
import { stateOf, type Attempt } from './attempt.ts'

export const AttemptPage = LessonRef.extend(Page.shape).extend({
  cursor: z
    .string()
    .regex(/^\d{1,9}$/)
    .optional(),
})
export type AttemptPage = z.infer<typeof AttemptPage>

export type AttemptSummary = Pick<
  Attempt,
  'id' | 'number' | 'state' | 'startedAt' | 'deadlineAt'
> & {
  submittedAt: Date | null
  score: number | null
  maxScore: number | null
  passed: boolean | null
}

/** A page of one's own attempts at a quiz, the last one first. Throws NOT_FOUND or NOT_ENROLLED. */
export async function listMyAttempts(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  { courseId, lessonId, cursor, limit }: AttemptPage,
): Promise<PageOf<AttemptSummary>> {
  await requireEnrolledLesson(deps, actor, { courseId, lessonId })
  const mine = deps.db.orm.quiz_attempts.where({ userId: actor.id, lessonId })
  const list =
    cursor === undefined ? mine : mine.where(MongoFieldFilter.lt('number', Number(cursor)))
  // Each carries its questions and answers, which no summary shows.
  const rows = await list
    .select(
      '_id',
      'number',
      'startedAt',
      'deadlineAt',
      'submittedAt',
      'score',
      'maxScore',
      'passed',
    )
    .orderBy({ number: -1 })
    .limit(limit + 1)
    .all()
  const items = rows.slice(0, limit).map((attempt) => ({
    id: attempt._id,
    number: attempt.number,
    state: stateOf(attempt, deps.now()),
    startedAt: attempt.startedAt,
    deadlineAt: attempt.deadlineAt ?? null,
    submittedAt: attempt.submittedAt ?? null,
    score: attempt.score ?? null,
    maxScore: attempt.maxScore ?? null,
    passed: attempt.passed ?? null,
  }))
  const last = items.at(-1)
  return { items, nextCursor: rows.length > limit && last ? String(last.number) : null }
}
