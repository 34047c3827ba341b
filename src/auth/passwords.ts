import { Argon2id } from 'oslo/password'
import { exactly } from '../fields.ts'

// OWASP's first choice of 2026: 19 MiB, two passes, one lane. Raised here, old hashes follow at sign-in.
const MEMORY_KIB = 19_456
const PASSES = 2
const argon2id = new Argon2id({ memorySize: MEMORY_KIB, iterations: PASSES, parallelism: 1 })

export const MIN_LENGTH = 8

/** 8 to 128 characters, any that are some; bounded so that hashing cannot be made expensive. */
export const Password = exactly(MIN_LENGTH, 128)

/** A password that is only compared: whatever the rules were when it was chosen. */
export const GivenPassword = exactly(1, 128)

/**
 * A password as it is hashed: keyboards write one letter in several ways, which must all sign in. Whatever
 * judges a password must look at this.
 */
export const hashedForm = (password: string): string => password.normalize('NFKC').toWellFormed()

/** Argon2id, with its parameters and salt in the hash. */
export const hashPassword = (password: string): Promise<string> =>
  argon2id.hash(hashedForm(password))

/** Stands where no password opens the account any more. */
export const NO_PASSWORD = 'none'

// Verified against when there is nothing to verify, so that a stranger waits equally long for both answers.
const DUMMY_HASH = await argon2id.hash('nobody has this password')

/**
 * Whether the password is the one that was hashed; null and `NO_PASSWORD` take as long and are never right.
 */
export async function isPassword(hash: string | null, password: string): Promise<boolean> {
  const isUsable = hash?.startsWith('$argon2id$') === true
  const isRight = await argon2id.verify(isUsable ? hash : DUMMY_HASH, hashedForm(password))
  return isUsable && isRight
}

/** True when the hash was made with less than today's parameters. */
export function needsRehash(hash: string): boolean {
  const [, memory, passes] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),/.exec(hash) ?? []
  return Number(memory ?? 0) < MEMORY_KIB || Number(passes ?? 0) < PASSES
}
