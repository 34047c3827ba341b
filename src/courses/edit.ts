import { setTimeout as pause } from 'node:timers/promises'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { requireRoom, withBytesKnown } from './course-size.ts'
import { courseFrom, findCourse, type CourseDocument } from './course.ts'
import { listingIssuesOf } from './readiness.ts'

const MAX_TRIES = 30

export type Changes = Partial<
  Omit<CourseDocument, '_id' | 'ownerId' | 'version' | 'createdAt' | 'updatedAt'>
>

type Change = (course: CourseDocument) => Changes | Promise<Changes>

/**
 * Stores a change if the course is still the version it was made from; otherwise makes it again from what is
 * stored now. So no edit is lost, and each is checked against what it really changes.
 *
 * Throws COURSE_NOT_READY where a published course would lose its last lesson, INVALID_INPUT where it would
 * hold more than a course may, NOT_FOUND if it is gone, and CHANGED_MEANWHILE after losing against other
 * editors thirty times.
 */
export async function editCourse(
  { db, now }: Uses<'db' | 'now'>,
  course: CourseDocument,
  change: Change,
): Promise<CourseDocument> {
  let current = course
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const { _id, version } = current
    const sections = await withBytesKnown({ db }, current.sections)
    const changes = await change({ ...current, sections })
    if (changes.sections) requireRoom(sections, changes.sections)
    requireListingComplete({ ...current, ...changes }, changes)
    const row = await db.orm.courses
      .where({ _id, version })
      .update({ ...changes, version: version + 1, updatedAt: now() })
    if (row) return courseFrom(row)
    // Editors who lost at the same moment would otherwise meet again.
    await pause(Math.random() * 5 * tries)
    const newer = await findCourse(db, { _id })
    if (!newer) throw new DomainError('NOT_FOUND')
    current = newer
  }
  throw new DomainError('CHANGED_MEANWHILE')
}

/**
 * In the one place every edit passes: no author empties a course that is on sale, or is published meanwhile.
 */
function requireListingComplete({ status, sections }: CourseDocument, changes: Changes): void {
  if (status !== 'PUBLISHED' || changes.sections === undefined) return
  const issues = listingIssuesOf(sections)
  if (issues.length > 0) throw new DomainError('COURSE_NOT_READY', { issues })
}
