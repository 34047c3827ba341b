import { dictionary } from '@zxcvbn-ts/language-common'
import { Argon2id } from 'oslo/password'
import { DomainError } from '../errors.ts'
import { exactly } from '../fields.ts'

// OWASP's first choice of 2026: 19 MiB, two passes, one lane. Raised here, old hashes follow at sign-in.
const MEMORY_KIB = 19_456
const PASSES = 2
const argon2id = new Argon2id({ memorySize: MEMORY_KIB, iterations: PASSES, parallelism: 1 })

const MIN_LENGTH = 8

/** 8 to 128 characters, any that are some; bounded so that hashing cannot be made expensive. */
export const Password = exactly(MIN_LENGTH, 128)

/** A password that is only compared: whatever the rules were when it was chosen. */
export const GivenPassword = exactly(1, 128)

/** Argon2id, with its parameters and salt in the hash. */
export const hashPassword = (password: string): Promise<string> => argon2id.hash(password)

/** Stands where no password opens the account any more. */
export const NO_PASSWORD = 'none'

// Verified against when there is nothing to verify, so that a stranger waits equally long for both answers.
const DUMMY_HASH = await argon2id.hash('nobody has this password')

/**
 * Whether the password is the one that was hashed; null and `NO_PASSWORD` take as long and are never right.
 */
export async function isPassword(hash: string | null, password: string): Promise<boolean> {
  const isUsable = hash?.startsWith('$argon2id$') === true
  const isRight = await argon2id.verify(isUsable ? hash : DUMMY_HASH, password)
  return isUsable && isRight
}

/** True when the hash was made with less than today's parameters. */
export function needsRehash(hash: string): boolean {
  const [, memory, passes] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),/.exec(hash) ?? []
  return Number(memory ?? 0) < MEMORY_KIB || Number(passes ?? 0) < PASSES
}

const COMMON: ReadonlySet<string> = new Set(
  dictionary['passwords-common'].filter((word) => word.length >= MIN_LENGTH),
)

type Owner = { email: string; name: string; field?: string }

/**
 * Refuses what an attacker tries first: common passwords, and those made of the owner's own address or name.
 * Throws WEAK_PASSWORD, with the reason at `field`.
 */
export function requireStrong(password: string, { email, name, field = 'password' }: Owner): void {
  const message = weaknessOf(password.toLowerCase(), email, name.toLowerCase())
  if (message !== null)
    throw new DomainError('WEAK_PASSWORD', { issues: [{ path: field, message }] })
}

function weaknessOf(password: string, email: string, name: string): string | null {
  if (COMMON.has(password)) return 'is one of the most common passwords'
  if (new Set(password).size < 3) return 'repeats one or two characters'
  const [local = '', domain = ''] = email.split('@')
  const core = lettersOf(password).replace(/^\d+|\d+$/g, '')
  const own = [email, local, domain, name, [...name.split(' ')].reverse().join('')].map(lettersOf)
  return own.some((word) => word !== '' && (word === core || word === lettersOf(password)))
    ? 'is your own address or name'
    : null
}

const lettersOf = (text: string): string => text.replace(/[^\p{L}\p{N}]/gu, '')
