import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { MongoFieldFilter as Field } from '@prisma/orm-mongo/query-ast/execution'
import { base32, decodeHex } from 'oslo/encoding'
import { generateHOTP } from 'oslo/otp'
import type { Uses } from '../deps.ts'

export const STEP_SECONDS = 30
export const DIGITS = 6
const RECOVERY_CODES = 10

/** Whether sign-in asks for a code: not before the first one was confirmed. */
export async function hasSecondFactor({ db }: Uses<'db'>, userId: string): Promise<boolean> {
  const factor = await db.orm.totps.where({ userId }).first()
  return Boolean(factor?.confirmedAt)
}

/** Takes the second factor away, confirmed or not. False when there was none. */
export async function removeSecondFactor({ db }: Uses<'db'>, userId: string): Promise<boolean> {
  return (await db.orm.totps.where({ userId }).deleteAndCount()) > 0
}

/** Uses up a code of the authenticator, or a recovery code. False when it is wrong or was used before. */
export async function consumeCode(
  deps: Uses<'db' | 'now' | 'secretBox'>,
  userId: string,
  given: string,
): Promise<boolean> {
  const code = given.replace(/[\s-]/g, '').toLowerCase()
  return /^\d{6}$/.test(code)
    ? consumeTotpCode(deps, userId, code)
    : consumeRecoveryCode(deps, userId, code)
}

async function consumeTotpCode(
  deps: Uses<'db' | 'now' | 'secretBox'>,
  userId: string,
  code: string,
): Promise<boolean> {
  const factor = await deps.db.orm.totps.where({ userId }).first()
  if (!factor?.confirmedAt) return false
  const step = await timeStepOf(secretOf(deps, factor), code, deps.now())
  if (step === null) return false
  // Each time step counts once, against whoever has read the owner's code over the shoulder.
  // By its id, since its secret may be sealed anew at this moment; a confirmed one never gets another.
  const used = await deps.db.orm.totps
    .where({ _id: factor._id })
    .where(Field.lt('lastStep', step))
    .update({ lastStep: step })
  return used !== null
}

async function consumeRecoveryCode(
  { db }: Uses<'db'>,
  userId: string,
  code: string,
): Promise<boolean> {
  const hash = hashOfRecovery(code)
  const used = await db.orm.totps
    .where({ userId })
    .where(Field.isNotNull('confirmedAt'))
    .where(Field.eq('recoveryHashes', hash))
    .update((factor) => [factor.recoveryHashes.pull(hash)])
  return used !== null
}

// Forty hexadecimal digits: secrets of earlier versions lie in clear until the job has been here.
const IN_CLEAR = /^[0-9a-f]{40}$/

/** An authenticator's secret, in hexadecimal. Throws where no key here opens it. */
export function secretOf(
  { secretBox }: Uses<'secretBox'>,
  { userId, secret }: { userId: string; secret: string },
): string {
  return IN_CLEAR.test(secret) ? secret : secretBox.open(secret, userId)
}

/**
 * The time step the code belongs to, of the present one and its two neighbours, or null. oslo's own
 * TOTPController reads the wall clock and does not say which step it was, which refusing a replay needs.
 */
export async function timeStepOf(secret: string, code: string, at: Date): Promise<number | null> {
  const present = Math.floor(at.getTime() / 1000 / STEP_SECONDS)
  const key = decodeHex(secret)
  let found: number | null = null
  for (const step of [present - 1, present, present + 1]) {
    if (isSame(await generateHOTP(key, step, DIGITS), code)) found = step
  }
  return found
}

function isSame(expected: string, given: string): boolean {
  return (
    expected.length === given.length && timingSafeEqual(Buffer.from(expected), Buffer.from(given))
  )
}

/** Ten codes of 120 random bits, shown once; of so many, a fast hash tells nothing. */
export function newRecoveryCodes(): { codes: string[]; hashes: string[] } {
  const raw = Array.from({ length: RECOVERY_CODES }, () =>
    base32.encode(randomBytes(15), { includePadding: false }).toLowerCase(),
  )
  return {
    codes: raw.map((code) => code.match(/.{4}/g)?.join('-') ?? code),
    hashes: raw.map(hashOfRecovery),
  }
}

function hashOfRecovery(code: string): string {
  return createHash('sha256').update(code).digest('hex')
}
