// Attempts at an account's secrets are limited in three places, and none of them lets a stranger elsewhere
// lock the owner out:
//  - each account from each network: 5 wrong in 15 minutes. The owner elsewhere does not notice; the owner
//    behind the same address (a campus, a mobile carrier) waits as well, or chooses a new password by mail.
//  - each network, whatever the accounts: 60 wrong in 15 minutes, against one password tried on many.
//  - each account from everywhere: 50 wrong in an hour, against many networks trying one account.
// The second and third never keep out whoever is right where the account has signed in from in the last 90
// days. An owner on a new network in the middle of an attack chooses a new password by mail, which makes that
// network known. Whoever is wrong is counted and answered alike, be the network known or not and the account
// there or not: else the answers would tell which accounts there are.
import type { Context } from '../context.ts'
import type { Uses } from '../deps.ts'
import { DomainError } from '../errors.ts'
import {
  bucketKey,
  clearAttempts,
  countAttempt,
  hasMark,
  requireAttempt,
  setMark,
  uncountAttempts,
} from './throttle.ts'

const MINUTES = 60
const HOURS = 60 * MINUTES
const DAYS = 24 * HOURS

type Needs = Uses<'db' | 'now'> & Pick<Context, 'network'>

/** A secret of an account, which is named by its e-mail address whether it exists or not. */
export type AccountSecret = { of: 'password' | 'code'; email: string }

/**
 * Runs one attempt at a secret under the limits. A refusal of its own is passed on and stays counted; where
 * it was right, nothing does. Throws TOO_MANY_REQUESTS: on a network that is closed, for every wrong attempt
 * and after the work of one, so that neither the answer nor its time tells whether it is known there.
 */
export async function limitAttempts<T>(
  deps: Needs,
  { of, email }: AccountSecret,
  attempt: () => Promise<T>,
): Promise<T> {
  const { network } = deps
  const here = bucketKey(`${of}-here`, email, network)
  const wider = [
    { key: bucketKey('attempts', network), most: 60, seconds: 15 * MINUTES },
    { key: bucketKey(`${of}-anywhere`, email), most: 50, seconds: 1 * HOURS },
  ]
  await requireAttempt(deps, { key: here, most: 5, seconds: 15 * MINUTES })
  const waits: number[] = []
  for (const limit of wider) waits.push((await countAttempt(deps, limit)) ?? 0)
  const wait = Math.max(...waits)
  const result =
    wait === 0 ? await attempt() : await attemptWhereClosed(deps, { of, email }, { attempt, wait })
  await clearAttempts(deps, here)
  await uncountAttempts(
    deps,
    wider.map(({ key }) => key),
  )
  return result
}

async function attemptWhereClosed<T>(
  deps: Needs,
  { of, email }: AccountSecret,
  { attempt, wait }: { attempt: () => Promise<T>; wait: number },
): Promise<T> {
  const refusal = new DomainError('TOO_MANY_REQUESTS', { retryAfterSeconds: wait })
  const isKnown = await isKnownNetwork(deps, email)
  // A right code is used up by its attempt. That there is an account is known to whoever is asked for one.
  if (of === 'code' && !isKnown) throw refusal
  const result = await attempt().catch((error: unknown) => {
    // What is no refusal of a wrong secret, such as a database that is away, is told as it is.
    throw error instanceof DomainError ? refusal : error
  })
  if (!isKnown) throw refusal
  return result
}

/**
 * Runs one use of a mailed token under its network's limit: 20 wrong in 15 minutes. The tokens are too long
 * to guess; this is for the load. Throws TOO_MANY_REQUESTS.
 */
export async function limitTokenAttempts<T>(deps: Needs, attempt: () => Promise<T>): Promise<T> {
  const key = bucketKey('token', deps.network)
  await requireAttempt(deps, { key, most: 20, seconds: 15 * MINUTES })
  const result = await attempt()
  await uncountAttempts(deps, [key])
  return result
}

/**
 * Runs one search for an account by its address, 30 in vain an hour: an author who may know whom they find
 * must not find out who else is here. Throws TOO_MANY_REQUESTS.
 */
export async function limitSearches<T>(
  deps: Uses<'db' | 'now'>,
  actorId: string,
  search: () => Promise<T | null>,
): Promise<T | null> {
  const key = bucketKey('search', actorId)
  await requireAttempt(deps, { key, most: 30, seconds: 1 * HOURS })
  const found = await search()
  if (found) await uncountAttempts(deps, [key])
  return found
}

/** Whether the account has fully signed in from here in the last 90 days. */
export function isKnownNetwork(deps: Needs, email: string): Promise<boolean> {
  return hasMark(deps, bucketKey('known', email, deps.network))
}

/**
 * Makes the network known for 90 days: the account's owner has fully signed in from here, or proved the
 * address.
 */
export async function rememberNetwork(deps: Needs, email: string): Promise<void> {
  await setMark(deps, bucketKey('known', email, deps.network), 90 * DAYS)
}

/** Lets the owner in at once where wrong passwords have closed the door: they have proved the address. */
export async function clearPasswordAttempts(
  deps: Uses<'db'> & Pick<Context, 'network'>,
  email: string,
): Promise<void> {
  await clearAttempts(deps, bucketKey('password-here', email, deps.network))
}
