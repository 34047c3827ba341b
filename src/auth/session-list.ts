import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import type { Uses } from '../deps.ts'
import { oid } from '../db.ts'
import { DomainError } from '../errors.ts'
import { AnyPage, Id, orNamed, type Page, type PageOf } from '../fields.ts'
import { readPage } from '../paging.ts'
import { ruleFor } from '../session-rules.ts'
import type { Actor } from './sessions.ts'
import { requireRecentPassword } from './step-up.ts'
import { targetOf } from './user.ts'

/** A session as its owner sees it. `id` names it here and is not what the cookie holds. */
export type SessionInfo = {
  id: string
  current: boolean
  createdAt: Date
  lastUsedAt: Date
  userAgent: string | null
  network: string | null
}

export const SessionPage = AnyPage

export const SessionChoice = orNamed(z.object({ id: Id }), 'id', 'sessionId')
export type SessionChoice = z.infer<typeof SessionChoice>

/** The sessions that are still valid, newest first. Throws INVALID_INPUT for a cursor that is none. */
export async function listSessions(
  { db, now, settings }: Uses<'db' | 'now' | 'settings'>,
  actor: Actor,
  page: Page,
): Promise<PageOf<SessionInfo>> {
  const { idleMs, absoluteMs } = ruleFor(settings.sessions, actor.role)
  const at = now().getTime()
  const own = db.orm.sessions
    .where({ userId: actor.id })
    .where(Field.gt('expiresAt', now()))
    .where(Field.gt('absoluteExpiresAt', now()))
    .where(Field.gt('lastUsedAt', new Date(at - idleMs)))
    .where(Field.gt('createdAt', new Date(at - absoluteMs)))
  const { items, nextCursor } = await readPage(own, page)
  return {
    items: items.map(({ _id: id, createdAt, lastUsedAt, userAgent, network }) => ({
      id,
      current: id === actor.sessionId,
      createdAt,
      lastUsedAt,
      userAgent: userAgent ?? null,
      network: network ?? null,
    })),
    nextCursor,
  }
}

/** Ends one session, this one too; its next request is a stranger's. Throws PASSWORD_NEEDED, NOT_FOUND. */
export async function revokeSession(
  deps: Audited,
  actor: Actor,
  { id }: SessionChoice,
): Promise<null> {
  requireRecentPassword(deps, actor)
  const ended = await deps.db.orm.sessions.where({ _id: id, userId: actor.id }).deleteAndCount()
  if (ended === 0) throw new DomainError('NOT_FOUND')
  await audit(deps, { actor, act: 'auth.session-revoked', target: targetOf(actor.id) })
  return null
}

/** Ends every session but this one, and answers how many. Throws PASSWORD_NEEDED. */
export async function revokeOtherSessions(deps: Audited, actor: Actor): Promise<{ ended: number }> {
  requireRecentPassword(deps, actor)
  const ended = await deps.db.orm.sessions
    .where({ userId: actor.id })
    .where(Field.neq('_id', oid(actor.sessionId)))
    .deleteAndCount()
  await audit(deps, {
    actor,
    act: 'auth.sessions-revoked',
    target: targetOf(actor.id),
    after: { ended },
  })
  return { ended }
}
