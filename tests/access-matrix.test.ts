import { describe, expect, it, beforeAll } from 'vitest'
import { appRouter } from '../src/router.ts'
import { aStudent, anAdmin, anInstructor } from './support/builders/people.ts'
import { startLms, type Lms } from './support/harness.ts'
import { ACCESS, type Access } from './support/access.ts'
import type { Visitor } from './support/client.ts'

const ROLES = ['VISITOR', 'STUDENT', 'INSTRUCTOR', 'ADMIN'] as const
type RoleName = (typeof ROLES)[number]

const MAY_CALL: Record<Access, readonly RoleName[]> = {
  anyone: ROLES,
  'signed in': ['STUDENT', 'INSTRUCTOR', 'ADMIN'],
  instructor: ['INSTRUCTOR', 'ADMIN'],
  admin: ['ADMIN'],
}

type Procedure = { _def: { type: 'query' | 'mutation' | 'subscription' } }
const procedures = appRouter._def.procedures as unknown as Record<string, Procedure>
const names = Object.keys(procedures).sort()

let lms: Lms
let callers: Record<RoleName, () => Promise<Visitor>>

beforeAll(async () => {
  lms = await startLms()
  const student = await aStudent(lms)
  const instructor = await anInstructor(lms)
  const admin = await anAdmin(lms)
  const signedIn =
    (person: Visitor & { user: { email: string }; password: string }) => async () => {
      const visitor = lms.visitor()
      await visitor.api.auth.login.mutate({ email: person.user.email, password: person.password })
      return visitor
    }
  callers = {
    VISITOR: () => Promise.resolve(lms.visitor()),
    STUDENT: signedIn(student),
    INSTRUCTOR: signedIn(instructor),
    ADMIN: signedIn(admin),
  }
})

/** The reason a call with no usable input was refused for, or 'answered'. */
async function outcomeOf(caller: Visitor, name: string): Promise<string> {
  const isQuery = procedures[name]?._def.type === 'query'
  const response = await caller.fetch(`/trpc/${name}`, {
    method: isQuery ? 'GET' : 'POST',
    ...(!isQuery && { body: '{}', headers: { 'content-type': 'application/json' } }),
  })
  const body = (await response.json()) as { error?: { json: { data: { reason: string } } } }
  return body.error?.json.data.reason ?? 'answered'
}

describe('the access matrix', () => {
  it('lists every procedure there is, and no other', () => {
    expect(Object.keys(ACCESS).sort()).toEqual(names)
  })

  for (const name of names) {
    it(`lets only the right people call ${name}`, async () => {
      const allowed = MAY_CALL[ACCESS[name] ?? 'admin']
      for (const role of ROLES) {
        const outcome = await outcomeOf(await callers[role](), name)
        const refusal = role === 'VISITOR' ? 'UNAUTHENTICATED' : 'FORBIDDEN'
        if (allowed.includes(role)) expect([role, outcome]).not.toEqual([role, refusal])
        else expect([role, outcome]).toEqual([role, refusal])
      }
    })
  }
})
