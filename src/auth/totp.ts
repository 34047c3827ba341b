import { randomBytes } from 'node:crypto'
import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import { TimeSpan } from 'oslo'
import { base32, encodeHex } from 'oslo/encoding'
import { createTOTPKeyURI } from 'oslo/otp'
import { z } from 'zod'
import { audit, type Audited } from '../audit.ts'
import { isDuplicateKey } from '../db.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import { exactly } from '../fields.ts'
import { limitAttempts } from './attempt-limits.ts'
import { GivenPassword } from './passwords.ts'
import { refuseCode } from './refused-code.ts'
import {
  consumeCode,
  DIGITS,
  hasSecondFactor,
  newRecoveryCodes,
  removeSecondFactor,
  secretOf,
  STEP_SECONDS,
  timeStepOf,
} from './second-factor.ts'
import { tellOfFactor } from './factor-mails.ts'
import type { Actor } from './sessions.ts'
import { requirePassword, requireRecentPassword } from './step-up.ts'
import { targetOf } from './user.ts'

export const TotpCode = z.object({ code: z.string().regex(/^\d{6}$/, 'has six digits') })
export type TotpCode = z.infer<typeof TotpCode>

export const TotpRemoval = z.object({ password: GivenPassword, code: exactly(1, 40) })
export type TotpRemoval = z.infer<typeof TotpRemoval>

export const RecoveryRenewal = z.object({ code: exactly(1, 40) })
export type RecoveryRenewal = z.infer<typeof RecoveryRenewal>

type Guarded = Audited & Uses<'secretBox'>

/**
 * Makes a secret and answers what an authenticator needs of it; sign-in asks for nothing until a code was
 * confirmed. Throws PASSWORD_NEEDED, TOTP_ALREADY_ON.
 */
export async function startTotp(
  deps: Uses<'db' | 'now' | 'settings' | 'secretBox'>,
  actor: Actor,
): Promise<{ uri: string; secret: string }> {
  requireRecentPassword(deps, actor)
  const key = randomBytes(20)
  await savePendingSecret(deps, actor.id, deps.secretBox.seal(encodeHex(key), actor.id))
  const period = new TimeSpan(STEP_SECONDS, 's')
  return {
    uri: createTOTPKeyURI(deps.settings.appName, actor.email, key, { digits: DIGITS, period }),
    secret: base32.encode(key, { includePadding: false }),
  }
}

/** A new secret in place of one that was never confirmed; a confirmed one stays. */
async function savePendingSecret(
  { db, now }: Uses<'db' | 'now'>,
  userId: string,
  secret: string,
): Promise<void> {
  const replaced = await db.orm.totps
    .where({ userId })
    .where(Field.isNull('confirmedAt'))
    .update({ secret, lastStep: 0 })
  if (replaced) return
  const factor = {
    userId,
    secret,
    confirmedAt: null,
    lastStep: 0,
    recoveryHashes: [],
    beforeProof: null,
  }
  try {
    await db.orm.totps.create({ ...factor, createdAt: now() })
  } catch (error) {
    if (isDuplicateKey(error)) throw new DomainError('TOTP_ALREADY_ON')
    throw error
  }
}

/**
 * Turns the second factor on and answers its recovery codes, this once. Throws TOTP_NOT_ON, TOTP_ALREADY_ON,
 * WRONG_CODE, TOO_MANY_REQUESTS, CHANGED_MEANWHILE.
 */
export async function confirmTotp(
  deps: Guarded,
  actor: Actor,
  { code }: TotpCode,
): Promise<{ recoveryCodes: string[] }> {
  const { db, now } = deps
  const recovery = newRecoveryCodes()
  await limitAttempts(deps, { of: 'code', email: actor.email }, async () => {
    const factor = await db.orm.totps.where({ userId: actor.id }).first()
    if (!factor) throw new DomainError('TOTP_NOT_ON')
    if (factor.confirmedAt) throw new DomainError('TOTP_ALREADY_ON')
    const step = await timeStepOf(secretOf(deps, factor), code, now())
    if (step === null) return refuseCode(deps, actor, actor.id)
    const confirmed = await db.orm.totps
      .where({ userId: actor.id, secret: factor.secret })
      .where(Field.isNull('confirmedAt'))
      .update({ confirmedAt: now(), lastStep: step, recoveryHashes: recovery.hashes })
    if (!confirmed) throw new DomainError('CHANGED_MEANWHILE')
  })
  await audit(deps, { actor, act: 'auth.totp-enabled', target: targetOf(actor.id) })
  await tellOfFactor(deps, actor, 'on')
  return { recoveryCodes: recovery.codes }
}

/**
 * Ten new recovery codes in place of those that are left, for a code of the authenticator or one of the old.
 * Throws PASSWORD_NEEDED, TOTP_NOT_ON, WRONG_CODE, TOO_MANY_REQUESTS.
 */
export async function renewRecoveryCodes(
  deps: Guarded,
  actor: Actor,
  { code }: RecoveryRenewal,
): Promise<{ recoveryCodes: string[] }> {
  requireRecentPassword(deps, actor)
  if (!(await hasSecondFactor(deps, actor.id))) throw new DomainError('TOTP_NOT_ON')
  await requireCode(deps, actor, code)
  const recovery = newRecoveryCodes()
  const renewed = await deps.db.orm.totps
    .where({ userId: actor.id })
    .where(Field.isNotNull('confirmedAt'))
    .update({ recoveryHashes: recovery.hashes })
  if (!renewed) throw new DomainError('TOTP_NOT_ON')
  await audit(deps, { actor, act: 'auth.recovery-codes-renewed', target: targetOf(actor.id) })
  await tellOfFactor(deps, actor, 'codes-renewed')
  return { recoveryCodes: recovery.codes }
}

/**
 * Takes the second factor away, which needs both factors and a recent password. Throws PASSWORD_NEEDED,
 * TOTP_NOT_ON, WRONG_PASSWORD, WRONG_CODE, TOO_MANY_REQUESTS.
 */
export async function disableTotp(
  deps: Guarded,
  actor: Actor,
  { password, code }: TotpRemoval,
): Promise<null> {
  requireRecentPassword(deps, actor)
  if (!(await hasSecondFactor(deps, actor.id))) throw new DomainError('TOTP_NOT_ON')
  await requirePassword(deps, actor, password)
  await requireCode(deps, actor, code)
  await removeSecondFactor(deps, actor.id)
  await audit(deps, { actor, act: 'auth.totp-disabled', target: targetOf(actor.id) })
  await tellOfFactor(deps, actor, 'off')
  return null
}

async function requireCode(deps: Guarded, actor: Actor, code: string): Promise<void> {
  await limitAttempts(deps, { of: 'code', email: actor.email }, async () => {
    if (!(await consumeCode(deps, actor.id, code))) await refuseCode(deps, actor, actor.id)
  })
}
