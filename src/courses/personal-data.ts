import { ObjectId } from 'mongodb'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { NEWEST_FIRST } from '../paging.ts'
import type { PersonalData } from '../personal-data.ts'
import { ON_SALE } from './shelf.ts'

// Nobody would answer to the students of a course whose author is gone. What is off the shelf its author cannot
// unpublish, and needs not.
async function requireDeletable({ db }: Uses<'db'>, ownerId: string): Promise<void> {
  const published = await db.driver
    .collection('courses')
    .findOne({ ownerId: new ObjectId(ownerId), ...ON_SALE }, { projection: { _id: 1 } })
  if (published) throw new DomainError('HAS_PUBLISHED_COURSES')
}

type ExportedCourse = { id: string; slug: string; title: string; status: string; createdAt: Date }

async function readCourses(
  { db }: Uses<'db'>,
  ownerId: string,
  most: number,
): Promise<ExportedCourse[]> {
  const rows = await db.orm.courses
    .where({ ownerId })
    .orderBy(NEWEST_FIRST)
    .select('_id', 'slug', 'title', 'status', 'createdAt')
    .limit(most)
    .all()
  return rows.map(({ _id: id, slug, title, status, createdAt }) => ({
    id,
    slug,
    title,
    status,
    createdAt,
  }))
}

const WORK = {
  what: 'the work of an author',
  after: 'stay: students have paid for them',
  until: 'for ever',
}

/** An author's courses stay: students have paid for them. What is in them is read by `courses.authoring`. */
export const coursesData = {
  lists: { authoredCourses: readCourses },
  keeps: { courses: WORK, lesson_texts: WORK, quizzes: WORK, quiz_keys: WORK },
  requireDeletable,
} satisfies PersonalData
