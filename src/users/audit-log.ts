import type { z } from 'zod'
import type { Role } from '../auth/user.ts'
import type { Uses } from '../deps.ts'
import { exactly, Id, Page, type PageOf } from '../fields.ts'
import { after, splitPage } from '../paging.ts'

export type AuditEntry = {
  id: string
  at: Date
  actorId: string | null
  actorRole: Role | null
  act: string
  target: string
  /** JSON objects, with secrets and personal data cut out. */
  before: unknown
  after: unknown
  requestId: string | null
  network: string | null
}

export const AuditSearch = Page.extend({
  actorId: Id.optional(),
  /** `kind:id`, such as `user:65f…`. */
  target: exactly(1, 100).optional(),
}).prefault({})
export type AuditSearch = z.infer<typeof AuditSearch>

/**
 * The audit log, newest first, of one actor or about one target. Throws INVALID_INPUT for a cursor that is
 * none.
 */
export async function listAudit(
  { db }: Uses<'db'>,
  { actorId, target, cursor, limit }: AuditSearch,
): Promise<PageOf<AuditEntry>> {
  let query = db.orm.audit_entries.orderBy({ at: -1, _id: -1 })
  if (actorId !== undefined) query = query.where({ actorId })
  if (target !== undefined) query = query.where({ target })
  if (cursor !== undefined) query = query.where(after(cursor, 'at'))
  const rows = await query.limit(limit + 1).all()
  const page = splitPage(
    rows.map((row) => ({ ...row, createdAt: row.at })),
    limit,
  )
  return {
    nextCursor: page.nextCursor,
    items: page.items.map((row) => ({
      id: row._id,
      at: row.at,
      actorId: row.actorId ?? null,
      actorRole: row.actorRole ?? null,
      act: row.act,
      target: row.target,
      before: row.before ?? null,
      after: row.after ?? null,
      requestId: row.requestId ?? null,
      network: row.network ?? null,
    })),
  }
}
