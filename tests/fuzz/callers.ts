import superjson from 'superjson'
import { aStudent, anAdmin, anInstructor, type Person } from '../support/builders/people.ts'
import { GARBAGE, type Visitor } from '../support/client.ts'
import type { Lms } from '../support/harness.ts'
import type { Procedure } from '../support/procedures.ts'

export const ROLES = ['VISITOR', 'STUDENT', 'INSTRUCTOR', 'ADMIN'] as const
export type RoleName = (typeof ROLES)[number]

export type Callers = {
  get: (role: RoleName) => Promise<Visitor>
  /** Whoever called so far. */
  people: Person[]
}

const MAKERS = { STUDENT: aStudent, INSTRUCTOR: anInstructor, ADMIN: anAdmin }

/** Someone of each role; whoever signed out, was demoted or deleted themselves is replaced. */
export function openCallers(lms: Lms, first: Person[] = []): Callers {
  const current = new Map<RoleName, Person>(first.map((person) => [person.user.role, person]))
  const people = [...first]
  return {
    people,
    async get(role) {
      if (role === 'VISITOR') return lms.visitor()
      const known = current.get(role)
      const me = known && (await known.api.auth.me.query().catch(() => null))
      if (known && me?.user.role === role) return known
      const person = await MAKERS[role](lms)
      current.set(role, person)
      people.push(person)
      return person
    },
  }
}

/** The body an ordinary client would send, or what it would refuse to. */
function written(input: unknown): string {
  try {
    return JSON.stringify(superjson.serialize(input))
  } catch {
    return JSON.stringify({ json: input })
  }
}

export type Outcome = { status: number; reason: string | null; text: string }

export async function call(
  visitor: Visitor,
  { name, isQuery }: Procedure,
  input: unknown,
): Promise<Outcome> {
  const body = written(input)
  const source = { 'x-trpc-source': GARBAGE }
  const response = await (isQuery
    ? visitor.fetch(`/trpc/${name}?input=${encodeURIComponent(body)}`, { headers: source })
    : visitor.fetch(`/trpc/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...source },
        body,
      }))
  const text = await response.text()
  return { status: response.status, reason: /"reason":"(\w+)"/.exec(text)?.[1] ?? null, text }
}
