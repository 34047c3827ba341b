import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import type { Actor } from '../auth/sessions.ts'
import { requireProven } from '../auth/unproven.ts'
import { findNames } from '../auth/user.ts'
import { requireCourse } from '../courses/access.ts'
import { oid, type Stored } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { Id, lines, orNamed, Page, type PageOf } from '../fields.ts'
import { readPage } from '../paging.ts'
import { requireEnrolledCourse } from './access/require-enrolled.ts'
import { findUsersWithRevokedAccess } from './access/revoked-access.ts'
import { findCompletion, summarizeCompletion } from './progress/completion.ts'
import { rebuildRating } from './ratings.ts'
import { findSources, type ReviewSource } from './review-source.ts'

const ReviewTerms = z.object({
  courseId: Id,
  rating: z.int().min(1).max(5),
  /** Plain text, shown as it is: whoever puts it into a page has to escape it. */
  body: lines(2_000).default(''),
})

export const NewReview = orNamed(ReviewTerms, 'body', 'text', 'comment')
export type NewReview = z.infer<typeof NewReview>

export const ReviewPage = Page.extend({ courseId: Id })
export type ReviewPage = z.infer<typeof ReviewPage>

/** A review by its id, or one's own by the course. */
export const ReviewRef = z.union([z.object({ id: Id }), z.object({ courseId: Id })])
export type ReviewRef = z.infer<typeof ReviewRef>

export type Review = {
  id: string
  courseId: string
  authorName: string
  /** Written by whoever asks. */
  mine: boolean
  rating: number
  body: string
  source: ReviewSource
  /** Whether it is part of the course's rating. */
  isCounted: boolean
  createdAt: Date
  updatedAt: Date
}

type ReviewDocument = Stored<'reviews'>

type Needs = Uses<'db' | 'now' | 'settings'>

// Who has seen nothing of a course has nothing to say about it.
const LEAST_PERCENT = 20

/**
 * A page of a course's reviews, newest first. A review whose buyer has had the money back is kept and not
 * shown, until that buyer has access again. Throws NOT_FOUND (no such course for whoever asks).
 */
export async function listReviews(
  deps: Needs,
  actor: Actor | null,
  { courseId, cursor, limit }: ReviewPage,
): Promise<PageOf<Review>> {
  await requireCourse(deps, actor, { _id: courseId })
  const hidden = await findUsersWithRevokedAccess(deps, courseId)
  const list = deps.db.orm.reviews.where({ courseId }).where(
    MongoFieldFilter.nin(
      'userId',
      hidden.map((id) => oid(id.toHexString())),
    ),
  )
  const { items, nextCursor } = await readPage(list, { cursor, limit })
  const userIds = items.map(({ userId }) => userId)
  const [names, sources] = await Promise.all([
    findNames(deps.db, userIds),
    findSources(deps, courseId, userIds),
  ])
  const shown = (row: ReviewDocument) => ({
    actor,
    name: names.get(row.userId) ?? '',
    source: sources.get(row.userId) ?? 'GIFT',
  })
  return { items: items.map((row) => reviewOf(deps, row, shown(row))), nextCursor }
}

/**
 * Writes a student's review of a course, or changes it: each has one. Throws NOT_FOUND, NOT_ENROLLED,
 * EMAIL_UNPROVEN or REVIEW_TOO_EARLY (less than a fifth of the lessons is completed).
 */
export async function putReview(
  deps: Needs,
  actor: Actor,
  { courseId, rating, body }: NewReview,
): Promise<Review> {
  const course = await requireEnrolledCourse(deps, actor, { courseId })
  requireProven(actor, 'review')
  const enrollment = { courseId, userId: actor.id }
  const { percent } = summarizeCompletion(course, await findCompletion(deps, enrollment))
  if (percent < LEAST_PERCENT) throw new DomainError('REVIEW_TOO_EARLY')
  const at = deps.now()
  const changes = { rating, body, updatedAt: at }
  const review = await deps.db.orm.reviews
    .where(enrollment)
    .upsert({ create: { ...enrollment, ...changes, createdAt: at }, update: changes })
  await rebuildRating(deps, courseId)
  const source = (await findSources(deps, courseId, [actor.id])).get(actor.id) ?? 'GIFT'
  return reviewOf(deps, review, { actor, name: actor.name, source })
}

/**
 * Removes one's own review, or for an administrator anyone's, which is put into the audit log; authors cannot
 * remove what is said of their courses. Throws NOT_FOUND.
 */
export async function removeReview(
  deps: Audited & Uses<'settings'>,
  actor: Actor,
  ref: ReviewRef,
): Promise<null> {
  const { reviews } = deps.db.orm
  const chosen = 'id' in ref ? reviews.where({ _id: ref.id }) : reviews.where(ref)
  const canRemoveAny = 'id' in ref && actor.role === 'ADMIN'
  const removed = await (canRemoveAny ? chosen : chosen.where({ userId: actor.id })).delete()
  if (!removed) throw new DomainError('NOT_FOUND')
  const { _id: id, courseId, userId, rating, body } = removed
  if (userId !== actor.id) {
    const before = { courseId, userId, rating, body }
    await audit(deps, { actor, act: 'reviews.removed', target: `review:${id}`, before })
  }
  await rebuildRating(deps, courseId)
  return null
}

type Shown = { actor: Actor | null; name: string; source: ReviewSource }

function reviewOf(
  { settings }: Uses<'settings'>,
  review: ReviewDocument,
  { actor, name, source }: Shown,
): Review {
  const { _id: id, courseId, userId, rating, body, createdAt, updatedAt } = review
  const mine = userId === actor?.id
  const isCounted = source === 'PAID' || settings.ratingsCountUnpaid
  const said = { rating, body, source, isCounted, createdAt, updatedAt }
  return { id, courseId, authorName: name, mine, ...said }
}
