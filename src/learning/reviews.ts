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
import { rebuildRating } from './ratings.ts'

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
  createdAt: Date
  updatedAt: Date
}

type ReviewDocument = Stored<'reviews'>

/**
 * A page of a course's reviews, newest first. A review whose buyer has had the money back is kept and not
 * shown, until that buyer has access again. Throws NOT_FOUND (no such course for whoever asks).
 */
export async function listReviews(
  deps: Uses<'db' | 'now'>,
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
  const names = await findNames(
    deps.db,
    items.map(({ userId }) => userId),
  )
  const author = (review: ReviewDocument) => names.get(review.userId) ?? ''
  return { items: items.map((row) => reviewOf(row, { actor, name: author(row) })), nextCursor }
}

/**
 * Writes a student's review of a course, or changes it: each has one. Throws NOT_FOUND, NOT_ENROLLED or
 * EMAIL_UNPROVEN.
 */
export async function putReview(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  { courseId, rating, body }: NewReview,
): Promise<Review> {
  await requireEnrolledCourse(deps, actor, { courseId })
  requireProven(actor, 'review')
  const at = deps.now()
  const changes = { rating, body, updatedAt: at }
  const enrollment = { courseId, userId: actor.id }
  const review = await deps.db.orm.reviews
    .where(enrollment)
    .upsert({ create: { ...enrollment, ...changes, createdAt: at }, update: changes })
  await rebuildRating(deps, courseId)
  return reviewOf(review, { actor, name: actor.name })
}

/**
 * Removes one's own review, or for an administrator anyone's, which is put into the audit log; authors cannot
 * remove what is said of their courses. Throws NOT_FOUND.
 */
export async function removeReview(deps: Audited, actor: Actor, ref: ReviewRef): Promise<null> {
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

function reviewOf(
  review: ReviewDocument,
  { actor, name }: { actor: Actor | null; name: string },
): Review {
  const { _id: id, courseId, userId, rating, body, createdAt, updatedAt } = review
  const mine = userId === actor?.id
  return { id, courseId, authorName: name, mine, rating, body, createdAt, updatedAt }
}
