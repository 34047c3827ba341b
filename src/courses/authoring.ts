import { z } from 'zod'
import type { Actor } from '../auth/sessions.ts'
import { isDuplicateKey } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { line, Price, type Page, type PageOf } from '../fields.ts'
import { GST_PERCENTS } from '../money.ts'
import { readPage } from '../paging.ts'
import { courseFrom, type CourseDocument } from './course.ts'
import { editCourse, type Changes } from './edit.ts'
import { publicCourse, type Course } from './public-course.ts'
import { detailIssuesOf } from './readiness.ts'
import { richText } from './rich-text.ts'
import { searchTextOf } from './search-text.ts'
import { Slug, slugsFor } from './slug.ts'

export const Level = z.enum(['BEGINNER', 'INTERMEDIATE', 'ADVANCED'])

const details = {
  title: line(1, 120),
  summary: line(0, 300),
  description: richText(20_000),
  category: line(1, 60),
  level: Level,
  language: line(2, 40),
  pricePaise: Price,
  tags: z.array(line(1, 40)).max(10),
  refundDays: z.int().min(0).max(60),
  /** A student who has consumed more of it, in per cent, cannot refund it themselves. */
  refundMaxPercent: z.int().min(0).max(100),
  /** Of GST within the price; null is the seller's usual rate. */
  gstPercent: z.literal(GST_PERCENTS).nullable(),
}

export const NewCourse = z.object({
  title: details.title,
  slug: Slug.optional(),
  summary: details.summary.default(''),
  description: details.description.prefault(''),
  category: details.category.default('General'),
  level: details.level.default('BEGINNER'),
  language: details.language.default('en'),
  pricePaise: details.pricePaise.default(0),
  tags: details.tags.default([]),
  refundDays: details.refundDays.default(7),
  refundMaxPercent: details.refundMaxPercent.default(30),
  gstPercent: details.gstPercent.default(null),
})
export type NewCourse = z.infer<typeof NewCourse>

export const CourseChanges = z.object(details).partial()
export type CourseChanges = z.infer<typeof CourseChanges>

/** A course after an edit; `dropped` is what was taken out of its description, such as `<script>`. */
export type EditedCourse = Course & { dropped: string[] }

/**
 * Creates a draft of the author's own, at the address asked for or one made of its title. Throws SLUG_TAKEN:
 * only for an address that was asked for, as the last of those made is random.
 */
export async function createCourse(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  { slug, description, ...input }: NewCourse,
): Promise<EditedCourse> {
  for (const candidate of slug === undefined ? slugsFor(input.title) : [slug]) {
    const terms = { ...input, description: description.html, slug: candidate }
    const created = await tryCreate(deps, actor, terms)
    if (created) return { ...publicCourse(created), dropped: description.dropped }
  }
  throw new DomainError('SLUG_TAKEN')
}

async function tryCreate(
  { db, now }: Uses<'db' | 'now'>,
  actor: Actor,
  input: Omit<NewCourse, 'slug' | 'description'> & { slug: string; description: string },
): Promise<CourseDocument | null> {
  const at = now()
  try {
    const row = await db.orm.courses.create({
      ...input,
      plainDescription: searchTextOf(input),
      ownerId: actor.id,
      status: 'DRAFT',
      currency: 'INR',
      imageUrl: null,
      imageMediaId: null,
      sections: [],
      version: 1,
      ratingSum: 0,
      ratingCount: 0,
      publishedAt: null,
      withheldAt: null,
      createdAt: at,
      updatedAt: at,
    })
    return courseFrom(row)
  } catch (error) {
    if (isDuplicateKey(error)) return null
    throw error
  }
}

/**
 * Changes what is given of a course's details. Throws COURSE_NOT_READY where a published course would lose
 * what it needs to be on sale, or CHANGED_MEANWHILE.
 */
export async function updateCourse(
  deps: Uses<'db' | 'now'>,
  course: CourseDocument,
  changes: CourseChanges,
): Promise<EditedCourse> {
  const given = givenChangesOf(changes)
  const edited = await editCourse(deps, course, (current) => {
    const issues = detailIssuesOf({ ...current, ...given })
    if (current.status === 'PUBLISHED' && issues.length > 0)
      throw new DomainError('COURSE_NOT_READY', { issues })
    return isSearched(given)
      ? { ...given, plainDescription: searchTextOf({ ...current, ...given }) }
      : given
  })
  return { ...publicCourse(edited), dropped: changes.description?.dropped ?? [] }
}

// Field by field: the input also carries the course's id.
function givenChangesOf(changes: CourseChanges): Changes {
  const names = CourseChanges.keyof().options
  const given = names.filter((name) => changes[name] !== undefined)
  const { description } = changes
  return {
    ...Object.fromEntries(given.map((name) => [name, changes[name]])),
    ...(description !== undefined && { description: description.html }),
  }
}

const isSearched = ({ title, summary, tags, description }: Changes): boolean =>
  [title, summary, tags, description].some((field) => field !== undefined)

/** A page of the author's own courses of any status, newest first. Throws INVALID_INPUT (the cursor). */
export async function listMyCourses(
  { db }: Uses<'db'>,
  actor: Actor,
  page: Page,
): Promise<PageOf<Course>> {
  const mine = db.orm.courses.where({ ownerId: actor.id })
  const { items, nextCursor } = await readPage(mine, page)
  return { items: items.map((row) => publicCourse(courseFrom(row))), nextCursor }
}
