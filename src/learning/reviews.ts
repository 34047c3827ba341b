import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import type { Actor } from '../auth/sessions.ts'
import { findNames } from '../auth/user.ts'
import { requireCourse } from '../courses/access.ts'
import { oid, type Stored } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { Id, lines, orNamed, Page, type PageOf } from '../fields.ts'
import { readPage } from '../paging.ts'
import { rebuildRating } from './ratings.ts'
import { requireEnrolled } from './access/require-enrolled.ts'
import { findUsersWithRevokedAccess } from './access/revoked-access.ts'

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

/** Those of buyers who had their money back are kept, and shown again when they come back. */
export async function listReviews(
  deps: Uses<'db' | 'now'>,
  actor: Actor | null,
  { courseId, cursor, limit }: ReviewPage,
): Promise<PageOf<Review>> {
  await requireCourse(deps, actor, { _id: courseId })
  const takenBack = await findUsersWithRevokedAccess(deps, courseId)
  const list = deps.db.orm.reviews.where({ courseId }).where(
    MongoFieldFilter.nin(
      'userId',
      takenBack.map((id) => oid(id.toHexString())),
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

/** Writes one's review of a course one takes, or changes it: there is one of each user. */
export async function putReview(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  { courseId, rating, body }: NewReview,
): Promise<Review> {
  await requireEnrolled(deps, actor, { courseId })
  const at = deps.now()
  const said = { rating, body, updatedAt: at }
  const whose = { courseId, userId: actor.id }
  const review = await deps.db.orm.reviews
    .where(whose)
    .upsert({ create: { ...whose, ...said, createdAt: at }, update: said })
  await rebuildRating(deps, courseId)
  return reviewOf(review, { actor, name: actor.name })
}

/** One's own, or anyone's for an administrator; a teacher cannot remove what is said of the course. */
export async function removeReview(deps: Audited, actor: Actor, ref: ReviewRef): Promise<null> {
  const { reviews } = deps.db.orm
  const chosen = 'id' in ref ? reviews.where({ _id: ref.id }) : reviews.where(ref)
  const isAnyones = 'id' in ref && actor.role === 'ADMIN'
  const removed = await (isAnyones ? chosen : chosen.where({ userId: actor.id })).delete()
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
