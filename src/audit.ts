import type { Actor } from './auth/sessions.ts'
import type { Context } from './context.ts'
import type { Uses } from './deps.ts'

/** What a fact of the audit log may hold: a small JSON object. */
export type Facts = { readonly [name: string]: Fact }
type Fact = string | number | boolean | null | readonly Fact[] | Facts

/** What somebody did, to what, and what that changed. */
export type Act = {
  /** null when it was nobody who is signed in, or the server itself. */
  actor: Pick<Actor, 'id' | 'role'> | null
  /** `room.verb`, in the past: `auth.signed-in`, `users.role-changed`. */
  act: string
  /** `kind:id`, such as `user:65f…`. */
  target: string
  before?: Facts
  after?: Facts
}

/** What a verb needs whose act is put into the audit log. */
export type Audited = Uses<'db' | 'now'> & Pick<Context, 'requestId' | 'network'>

type Auditor = Uses<'db' | 'now'> & Partial<Audited>

/**
 * Adds to the audit log, which nothing removes and only the deletion of an account changes (users/personal-data.ts);
 * secrets and names of people are cut out of the facts. `userId` among them says whom it was done to.
 */
export async function audit(deps: Auditor, { actor, act, target, ...facts }: Act): Promise<void> {
  await deps.db.orm.audit_entries.create({
    at: deps.now(),
    actorId: actor?.id ?? null,
    actorRole: actor?.role ?? null,
    subjectId: subjectOf(facts),
    act,
    target,
    before: facts.before ? redacted(facts.before) : null,
    after: facts.after ? redacted(facts.after) : null,
    requestId: deps.requestId ?? null,
    network: deps.network ?? null,
  })
}

function subjectOf({ before, after }: Pick<Act, 'before' | 'after'>): string | null {
  const userId = after?.['userId'] ?? before?.['userId']
  return typeof userId === 'string' ? userId : null
}

// Nobody writes a secret here on purpose; an object passed whole might carry one.
const SECRET = /pass|hash|token|secret|code|cookie|signature|authorization/i
// The log outlives accounts, so it names people by id alone.
const PERSONAL = /^(email|name|address|gstin|phone|contact|to)$/i

function redacted(facts: Facts): Record<string, Redacted> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [
      name,
      SECRET.test(name) || PERSONAL.test(name) ? '[redacted]' : redactedFact(fact),
    ]),
  )
}

type Redacted = string | number | boolean | null | Redacted[] | { [name: string]: Redacted }

function redactedFact(fact: Fact): Redacted {
  if (isList(fact)) return fact.map(redactedFact)
  if (typeof fact === 'object' && fact !== null) return redacted(fact)
  return typeof fact === 'string' ? fact.slice(0, 500) : fact
}

const isList = (fact: Fact): fact is readonly Fact[] => Array.isArray(fact)
