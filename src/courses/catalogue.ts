import type { Document, ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Actor } from '../auth/sessions.ts'
import { findNames } from '../auth/user.ts'
import type { Uses } from '../deps.ts'
import { exactly, line, Page, type PageOf } from '../fields.ts'
import { requireCourse, type Viewer } from './access.ts'
import { Level } from './authoring.ts'
import type { CourseLevel } from './course.ts'
import { publicCourse, ratingAverage, type Course } from './public-course.ts'
import { searchOf } from './search-text.ts'
import { ON_SALE } from './shelf.ts'
import { afterCursor, COMPUTED, cursorOf, sortFor, SORTS, sortOf, type SortedRow } from './sort.ts'

export const CatalogueQuery = Page.extend({
  /** As long as a title may be. */
  q: line(0, 120).optional(),
  category: line(0, 60).optional(),
  level: z.string().toUpperCase().pipe(Level).optional(),
  /** In paise. */
  maxPrice: z.int().min(0).optional(),
  /** By default what was looked for first, or the newest when nothing was. */
  sort: z.enum(SORTS).optional(),
}).prefault({})
export type CatalogueQuery = z.infer<typeof CatalogueQuery>

export const CourseSlug = z.object({ slug: exactly(1, 100) })
export type CourseSlug = z.infer<typeof CourseSlug>

export type Instructor = { id: string; name: string }

export type CourseCard = {
  id: string
  slug: string
  title: string
  summary: string
  category: string
  level: CourseLevel
  language: string
  pricePaise: number
  currency: string
  imageUrl: string | null
  ratingAverage: number | null
  ratingCount: number
  publishedAt: Date
  instructor: Instructor
}

export type CourseDetails = Course & { instructor: Instructor; viewer: Viewer }

type CardRow = SortedRow & {
  slug: string
  ownerId: ObjectId
  title: string
  summary: string
  category: string
  level: CourseLevel
  language: string
  currency: string
  imageUrl?: string | null
  ratingSum: number
  ratingCount: number
}

const CARD_FIELDS = {
  ...{ slug: 1, ownerId: 1, title: 1, summary: 1, category: 1, level: 1, language: 1 },
  ...{ pricePaise: 1, currency: 1, imageUrl: 1, ratingSum: 1, ratingCount: 1 },
  ...{ publishedAt: 1, rating: 1, score: 1 },
}

/**
 * A page of published courses, whoever asks: by words, category, level and highest price (in paise), sorted
 * as asked. The hottest read: by the driver, and only what a card shows. Throws INVALID_INPUT (the cursor of
 * another list).
 */
export async function listCourses(
  deps: Uses<'db'>,
  query: CatalogueQuery,
): Promise<PageOf<CourseCard>> {
  const { limit, cursor } = query
  const sort = sortFor(query)
  const computed = COMPUTED[sort]
  const rows = await deps.db.driver
    .collection('courses')
    .aggregate<CardRow>(
      [
        { $match: filterOf(query) },
        ...(computed ? [{ $set: computed }] : []),
        ...(cursor === undefined ? [] : [{ $match: afterCursor(sort, cursor) }]),
        { $sort: sortOf(sort) },
        { $limit: limit + 1 },
        { $project: CARD_FIELDS },
      ],
      { maxTimeMS: 2_000 },
    )
    .toArray()
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const names = await findNames(
    deps.db,
    page.map((row) => row.ownerId.toHexString()),
  )
  return {
    items: page.map((row) => cardOf(row, names)),
    nextCursor: rows.length > limit && last ? cursorOf(sort, last) : null,
  }
}

function filterOf({ q, category, level, maxPrice }: CatalogueQuery): Document {
  return {
    ...ON_SALE,
    ...(q && { $text: { $search: searchOf(q) } }),
    ...(category && { category }),
    ...(level !== undefined && { level }),
    ...(maxPrice !== undefined && { pricePaise: { $lte: maxPrice } }),
  }
}

function cardOf(row: CardRow, names: Map<string, string>): CourseCard {
  const ownerId = row.ownerId.toHexString()
  return {
    id: row._id.toHexString(),
    slug: row.slug,
    title: row.title,
    summary: row.summary,
    category: row.category,
    level: row.level,
    language: row.language,
    pricePaise: row.pricePaise,
    currency: row.currency,
    imageUrl: row.imageUrl ?? null,
    ratingAverage: ratingAverage(row),
    ratingCount: row.ratingCount,
    publishedAt: row.publishedAt,
    instructor: { id: ownerId, name: names.get(ownerId) ?? '' },
  }
}

/**
 * A course's page, with what whoever asks is to it. Throws NOT_FOUND, also for a course that they may not
 * know of.
 */
export async function requireCourseBySlug(
  deps: Uses<'db' | 'now'>,
  actor: Actor | null,
  { slug }: CourseSlug,
): Promise<CourseDetails> {
  const { course, viewer } = await requireCourse(deps, actor, { slug })
  const owner = await deps.db.orm.users.where({ _id: course.ownerId }).select('name').first()
  return {
    ...publicCourse(course),
    instructor: { id: course.ownerId, name: owner?.name ?? '' },
    viewer,
  }
}
