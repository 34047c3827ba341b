// Guessing is slowed in three places, and none of them lets a stranger elsewhere lock the owner out:
//  - each account from each network: 5 wrong in 15 minutes. The owner elsewhere does not notice; the owner behind
//    the same address (a campus, a mobile carrier) waits as well, or chooses a new password by mail.
//  - each network, whatever the accounts: 60 wrong in 15 minutes, against one password tried on many.
//  - each account from everywhere: 50 wrong in an hour, against many networks trying one account.
// The second and third never hold where the account has signed in from in the last 90 days. An owner on a
// new network in the middle of an attack chooses a new password by mail, which makes that network known.
import type { Context } from '../context.ts'
import type { Uses } from '../deps.ts'
import { bucketOf, clear, giveBack, isRemembered, remember, take } from './throttle.ts'

const MINUTES = 60
const HOURS = 60 * MINUTES
const DAYS = 24 * HOURS

type Guesser = Uses<'db' | 'now'> & Pick<Context, 'network'>

/** A secret of an account, which is named by its e-mail address whether it exists or not. */
export type Guess = { of: 'password' | 'code'; email: string }

/** Runs one guess under the limits. It throws when it was wrong; when it was right, nothing stays counted. */
export async function guessing<T>(
  deps: Guesser,
  { of, email }: Guess,
  guess: () => Promise<T>,
): Promise<T> {
  const { network } = deps
  const pair = bucketOf(`${of}-here`, email, network)
  const wide = [
    { key: bucketOf('guesses', network), most: 60, seconds: 15 * MINUTES },
    { key: bucketOf(`${of}-anywhere`, email), most: 50, seconds: 1 * HOURS },
  ]
  const counted = (await isKnownNetwork(deps, email)) ? [] : wide
  await take(deps, { key: pair, most: 5, seconds: 15 * MINUTES })
  for (const limit of counted) await take(deps, limit)
  const result = await guess()
  await clear(deps, pair)
  await giveBack(
    deps,
    counted.map(({ key }) => key),
  )
  return result
}

/** Runs one use of a mailed token under the network's limit. The tokens are too long to guess; this is for the load. */
export async function guessingToken<T>(deps: Guesser, guess: () => Promise<T>): Promise<T> {
  const key = bucketOf('token', deps.network)
  await take(deps, { key, most: 20, seconds: 15 * MINUTES })
  const result = await guess()
  await giveBack(deps, [key])
  return result
}

/** Runs one search for an account by its address; whoever may know what it finds must not find out who is here. */
export async function searching<T>(
  deps: Uses<'db' | 'now'>,
  actorId: string,
  search: () => Promise<T | null>,
): Promise<T | null> {
  const key = bucketOf('search', actorId)
  await take(deps, { key, most: 30, seconds: 1 * HOURS })
  const found = await search()
  if (found) await giveBack(deps, [key])
  return found
}

export function isKnownNetwork(deps: Guesser, email: string): Promise<boolean> {
  return isRemembered(deps, bucketOf('known', email, deps.network))
}

/** Called when the account has fully signed in from here. */
export async function rememberNetwork(deps: Guesser, email: string): Promise<void> {
  await remember(deps, bucketOf('known', email, deps.network), 90 * DAYS)
}

/** The owner has proved themselves by mail: what was guessed from here before no longer counts. */
export async function forgetGuesses(deps: Guesser, email: string): Promise<void> {
  await clear(deps, bucketOf('password-here', email, deps.network))
  await rememberNetwork(deps, email)
}
