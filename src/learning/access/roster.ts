import { MongoFieldFilter } from '@prisma/orm-mongo/query-ast/execution'
import type { z } from 'zod'
import type { Actor } from '../../auth/sessions.ts'
import { requireOwnCourse } from '../../courses/access.ts'
import type { CourseDocument } from '../../courses/course.ts'
import { oid } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import { Id, Page, type PageOf } from '../../fields.ts'
import { readPage } from '../../paging.ts'
import { findCompletedLessons, summarizeCompletion } from '../progress/completion.ts'
import { enrollmentOf, type Enrollment, type GrantKind, type StoredGrant } from './enrollment.ts'

export const RosterPage = Page.extend({ courseId: Id })
export type RosterPage = z.infer<typeof RosterPage>

/** Someone in a course, as its teacher sees them; how to write to them is for administrators alone. */
export type RosterEntry = Enrollment & {
  userId: string
  name: string
  email: string | null
  percent: number
  grants: { kind: GrantKind; at: Date; until: Date | null; revokedAt: Date | null }[]
}

export async function requireRoster(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  { courseId, cursor, limit }: RosterPage,
): Promise<PageOf<RosterEntry>> {
  const course = await requireOwnCourse(deps, actor, courseId)
  const list = deps.db.orm.enrollments.where({ courseId })
  const { items: rows, nextCursor } = await readPage(list, { cursor, limit })
  return { items: await rosterOf(deps, { actor, course, rows }), nextCursor }
}

type Row = { userId: string; courseId: string; grants: readonly StoredGrant[]; createdAt: Date }
type Roster = { actor: Actor; course: CourseDocument; rows: Row[] }

export async function rosterOf(
  { db, now }: Uses<'db' | 'now'>,
  { actor, course, rows }: Roster,
): Promise<RosterEntry[]> {
  if (rows.length === 0) return []
  const userIds = rows.map(({ userId }) => userId)
  const [users, doneBy] = await Promise.all([
    db.orm.users
      .where(MongoFieldFilter.in('_id', userIds.map(oid)))
      .select('_id', 'name', 'email')
      .all(),
    findCompletedLessons({ db }, { userIds, courseIds: [course._id] }),
  ])
  const people = new Map(users.map(({ _id, name, email }) => [_id, { name, email }]))
  return rows.map((row) => {
    const person = people.get(row.userId)
    return {
      ...enrollmentOf(row, now()),
      userId: row.userId,
      name: person?.name ?? '',
      email: actor.role === 'ADMIN' ? (person?.email ?? null) : null,
      percent: summarizeCompletion(course, doneBy(row.userId, course._id)).percent,
      grants: row.grants.map(({ kind, at, until, revokedAt }) => ({
        kind: kind as GrantKind,
        at,
        until: until ?? null,
        revokedAt: revokedAt ?? null,
      })),
    }
  })
}
