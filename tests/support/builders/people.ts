import { randomBytes } from 'node:crypto'
import type { Role } from '../../../src/auth/user.ts'
import type { User } from '../../../src/auth/user.ts'
import type { Visitor } from '../client.ts'
import type { Lms } from '../harness.ts'

export type Person = Visitor & { user: User; password: string }

/** Someone who has just registered and is signed in. */
export async function aStudent(lms: Lms, name = 'Asha Rao'): Promise<Person> {
  const visitor = lms.visitor()
  const password = `pw ${randomBytes(9).toString('base64url')}`
  const email = `${randomBytes(6).toString('hex')}@example.test`
  const user = await visitor.api.auth.register.mutate({ name, email, password })
  return { ...visitor, user, password }
}

export const anInstructor = (lms: Lms): Promise<Person> =>
  withRole(lms, 'INSTRUCTOR', 'Vikram Iyer')
export const anAdmin = (lms: Lms): Promise<Person> => withRole(lms, 'ADMIN', 'Meera Shah')

async function withRole(lms: Lms, role: Role, name: string): Promise<Person> {
  const person = await aStudent(lms, name)
  await lms.db.orm.users.where({ _id: person.user.id }).update({ role })
  return { ...person, user: { ...person.user, role } }
}
