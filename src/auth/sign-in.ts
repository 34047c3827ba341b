import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import type { Context } from '../context.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { Email, exactly } from '../fields.ts'
import { putMail } from '../mail/outbox.ts'
import { isKnownNetwork, limitAttempts, rememberNetwork } from './attempt-limits.ts'
import { auditRarely } from './rare-audit.ts'
import { describeDevice } from './device.ts'
import { GivenPassword, hashPassword, isPassword, needsRehash } from './passwords.ts'
import { refuseCode } from './refused-code.ts'
import { consumeCode, hasSecondFactor } from './second-factor.ts'
import { endSession, startSession, type Actor } from './sessions.ts'
import { findUser, targetOf, userOf, type User, type UserDocument } from './user.ts'
import type { Visit } from './visit.ts'

export const Credentials = z.object({
  email: Email,
  password: GivenPassword,
  /** Six digits of the authenticator, or a recovery code. */
  code: exactly(0, 40).optional(),
})
export type Credentials = z.infer<typeof Credentials>

/**
 * Signs in under a new session. The same answer and the same work for a wrong password, an unknown address
 * and a disabled account. Throws WRONG_CREDENTIALS, TOTP_REQUIRED, WRONG_CODE, TOO_MANY_REQUESTS.
 */
export async function login(visit: Visit, { email, password, code }: Credentials): Promise<User> {
  const user = await limitAttempts(visit, { of: 'password', email }, async () => {
    const found = await findUser(visit.db, { email })
    const isRight = await isPassword(found?.passwordHash ?? null, password)
    if (found && isRight) return found
    await auditFailure(visit, found)
    throw new DomainError('WRONG_CREDENTIALS')
  })
  await requireSecondFactor(visit, user, code)
  await signIn(visit, user, password)
  await rehash(visit, user, password)
  return userOf(user)
}

/** Of a person's account a few an hour and network, of no account at all a few an hour: guessing goes on for days. */
async function auditFailure(visit: Visit, found: UserDocument | null): Promise<void> {
  const target = targetOf(found?._id ?? 'unknown')
  const after = found && { role: found.role }
  await auditRarely(
    visit,
    { actor: null, act: 'auth.sign-in-failed', target, ...(after && { after }) },
    [
      { of: [target, visit.network], most: 10, seconds: 3_600 },
      { of: [target], most: 60, seconds: 3_600 },
    ],
  )
}

async function requireSecondFactor(
  deps: Audited & Uses<'secretBox'>,
  { _id: userId, email }: Pick<UserDocument, '_id' | 'email'>,
  code?: string,
): Promise<void> {
  if (!(await hasSecondFactor(deps, userId))) return
  if (code === undefined || code.trim() === '') throw new DomainError('TOTP_REQUIRED')
  await limitAttempts(deps, { of: 'code', email }, async () => {
    if (!(await consumeCode(deps, userId, code))) await refuseCode(deps, null, userId)
  })
}

/** Starts a session and ends the one this browser had: its cookie is about to be replaced. */
async function signIn(visit: Visit, user: UserDocument, password: string): Promise<void> {
  const isKnown = await isKnownNetwork(visit, user.email)
  const cookie = await startSession(visit, userOf(user), visit.device)
  await requireStillValid(visit, user, { password, sessionId: cookie.sessionId })
  if (visit.actor) await endSession(visit, visit.actor)
  visit.setCookie(cookie.setCookie)
  await rememberNetwork(visit, user.email)
  await audit(visit, {
    actor: { id: user._id, role: user.role },
    act: 'auth.signed-in',
    target: targetOf(user._id),
  })
  if (!isKnown) await notifyOfNewDevice(visit, user, cookie.sessionId)
}

// The owner may have changed the password or the address, or an administrator disabled the account, while this sign-in was
// being checked: that ended all sessions there were, and this one only began. Checked after it exists,
// nothing slips between.
async function requireStillValid(
  { db }: Uses<'db'>,
  user: Pick<UserDocument, '_id' | 'email' | 'passwordHash'>,
  { password, sessionId }: { password: string; sessionId: string },
): Promise<void> {
  const current = await findUser(db, { _id: user._id })
  const isSame =
    current !== null &&
    current.email === user.email &&
    (current.passwordHash === user.passwordHash ||
      (await isPassword(current.passwordHash, password)))
  if (isSame) return
  await db.orm.sessions.where({ _id: sessionId }).deleteAndCount()
  throw new DomainError('WRONG_CREDENTIALS')
}

async function notifyOfNewDevice(
  deps: Uses<'db' | 'now'> & Pick<Context, 'device'>,
  user: UserDocument,
  sessionId: string,
): Promise<void> {
  const { userAgent, network } = deps.device
  await putMail(deps, {
    key: `new-sign-in:${sessionId}`,
    to: user.email,
    template: 'new-sign-in',
    data: {
      at: deps.now().toISOString(),
      device: describeDevice(userAgent),
      address: network ?? 'unknown',
    },
  })
}

async function rehash(
  { db }: Uses<'db'>,
  { _id, passwordHash }: Pick<UserDocument, '_id' | 'passwordHash'>,
  password: string,
): Promise<void> {
  if (!needsRehash(passwordHash)) return
  const better = await hashPassword(password)
  await db.orm.users.where({ _id, passwordHash }).update({ passwordHash: better })
}

/** Ends this session, and clears its cookie and whatever else the browser has of us. */
export async function logout(
  deps: Audited & Uses<'sessions'> & Pick<Context, 'setCookie' | 'clearSiteData'>,
  actor: Actor | null,
): Promise<{ ok: true }> {
  deps.clearSiteData()
  // A session that has ended on its own leaves a cookie behind.
  if (!actor) deps.setCookie(deps.sessions.createBlankSessionCookie().serialize())
  else {
    deps.setCookie(await endSession(deps, actor))
    await audit(deps, { actor, act: 'auth.signed-out', target: targetOf(actor.id) })
  }
  return { ok: true }
}
