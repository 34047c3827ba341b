import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import type { z } from 'zod'
import type { Actor } from '../../auth/sessions.ts'
import type { CourseDocument } from '../../courses/course.ts'
import { oid } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import { Id, Page, type PageOf } from '../../fields.ts'
import { readPage } from '../../paging.ts'
import { findCompletedLessons, summarizeCompletion } from '../progress/completion.ts'
import { enrollmentOf, type Enrollment, type GrantKind, type StoredGrant } from './enrollment.ts'

export const RosterPage = Page.extend({ courseId: Id })
export type RosterPage = z.infer<typeof RosterPage>

/** A student of a course, as its author sees them; their e-mail address is for administrators alone. */
export type RosterEntry = Enrollment & {
  userId: string
  name: string
  email: string | null
  percent: number
  grants: { kind: GrantKind; at: Date; until: Date | null; revokedAt: Date | null }[]
}

/**
 * Everyone who was ever enrolled in a course of one's own, newest first. Throws INVALID_INPUT (the cursor).
 */
export async function listRoster(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  { course, cursor, limit }: RosterPage & { course: CourseDocument },
): Promise<PageOf<RosterEntry>> {
  const list = deps.db.orm.enrollments.where({ courseId: course._id })
  const { items: rows, nextCursor } = await readPage(list, { cursor, limit })
  return { items: await rosterOf(deps, { actor, course, rows }), nextCursor }
}

type Row = { userId: string; courseId: string; grants: readonly StoredGrant[]; createdAt: Date }
type Roster = { actor: Actor; course: CourseDocument; rows: Row[] }

/** These enrollments of one course as roster entries, read together. */
export async function rosterOf(
  { db, now }: Uses<'db' | 'now'>,
  { actor, course, rows }: Roster,
): Promise<RosterEntry[]> {
  if (rows.length === 0) return []
  const userIds = rows.map(({ userId }) => userId)
  const [users, completedBy] = await Promise.all([
    db.orm.users
      .where(MongoFieldFilter.in('_id', userIds.map(oid)))
      .select('_id', 'name', 'email')
      .all(),
    findCompletedLessons({ db }, { userIds, courseIds: [course._id] }),
  ])
  const students = new Map(users.map(({ _id, name, email }) => [_id, { name, email }]))
  return rows.map((row) => {
    const student = students.get(row.userId)
    return {
      ...enrollmentOf(row, now()),
      userId: row.userId,
      name: student?.name ?? '',
      email: actor.role === 'ADMIN' ? (student?.email ?? null) : null,
      percent: summarizeCompletion(course, completedBy(row.userId, course._id)).percent,
      grants: row.grants.map(({ kind, at, until, revokedAt }) => ({
        kind: kind as GrantKind,
        at,
        until: until ?? null,
        revokedAt: revokedAt ?? null,
      })),
    }
  })
}
