import { randomBytes } from 'node:crypto'
import type { Role } from '../../../src/auth/user.ts'
import type { User } from '../../../src/auth/user.ts'
import { hashPassword } from '../../../src/auth/passwords.ts'
import { openAccount } from '../../../src/auth/register.ts'
import type { Visit } from '../../../src/auth/visit.ts'
import type { Visitor } from '../client.ts'
import type { Lms } from '../harness.ts'
import { keepSecret } from '../secrets.ts'

export type Person = Visitor & { user: User; password: string }

const newPassword = () => `pw ${randomBytes(9).toString('base64url')}`
const newEmail = () => `${randomBytes(6).toString('hex')}@example.test`

// To judge and to hash a password costs more than most tests do with the person who has it, so a few are enough.
const PASSWORDS = 6
const passwords: { password: string; passwordHash: string }[] = []
let handedOut = 0

/** Another password than the last one handed out, with its hash. */
async function aPassword() {
  handedOut += 1
  const known = passwords[handedOut % PASSWORDS]
  if (known) return known
  const password = newPassword()
  const made = { password, passwordHash: await hashPassword(password) }
  passwords.push(made)
  return made
}

/** Someone who registers by a call like any other, which counts like any other. */
export async function aRegistered(lms: Lms, name = 'Asha Rao'): Promise<Person> {
  const visitor = lms.visitor()
  const password = newPassword()
  const email = newEmail()
  return {
    ...visitor,
    user: await visitor.api.auth.register.mutate({ name, email, password }),
    password,
  }
}

/** Someone who has just registered and is signed in, as `auth.register` leaves them; by no call. */
export async function aStudent(lms: Lms, name = 'Asha Rao'): Promise<Person> {
  const visitor = lms.visitor()
  const { password, passwordHash } = await aPassword()
  keepSecret(password)
  const email = newEmail()
  const network = '127.0.0.1'
  const visit: Visit = {
    ...lms.deps,
    network,
    device: { userAgent: 'node', network },
    actor: null,
    requestId: 'made by a test',
    setCookie: visitor.takeCookie,
  }
  return { ...visitor, user: await openAccount(visit, { name, email, passwordHash }), password }
}

export const anInstructor = (lms: Lms): Promise<Person> =>
  withRole(lms, 'INSTRUCTOR', 'Vikram Iyer')
export const anAdmin = (lms: Lms): Promise<Person> => withRole(lms, 'ADMIN', 'Meera Shah')

async function withRole(lms: Lms, role: Role, name: string): Promise<Person> {
  const person = await aStudent(lms, name)
  await lms.db.orm.users.where({ _id: person.user.id }).update({ role })
  return { ...person, user: { ...person.user, role } }
}
