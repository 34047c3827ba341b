import { isDuplicateKey } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import type { GatewayEvent, PaymentGateway } from '../../gateways/payments.ts'

/** How an event ended that was signed for us and is of an account that is not ours. */
export const ANOTHER_ACCOUNT = 'another account'

/** How one ended of whose payment, refund or dispute the gateway has nothing, asked with our key. */
export const DENIED = 'denied by the gateway'

/**
 * Whether an event names another account than the one our key belongs to. Nothing tells us our account's id, so it
 * is learned; until then nobody knows, and what the gateway says of the payment decides alone.
 */
export async function isOfAnotherAccount(
  { db }: Uses<'db'>,
  gateway: PaymentGateway,
  { account }: GatewayEvent,
): Promise<boolean> {
  if (account === null) return false
  const known = await db.orm.facts.where({ name: factOf(gateway) }).first()
  return known !== null && known.value !== account
}

/** Remembers the account of the first event whose payment the gateway confirmed to this key. */
export async function learnAccount(
  { db }: Uses<'db'>,
  gateway: PaymentGateway,
  { account }: GatewayEvent,
): Promise<void> {
  if (account === null) return
  const name = factOf(gateway)
  if (await db.orm.facts.where({ name }).first()) return
  try {
    await db.orm.facts.create({ name, value: account })
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
  }
}

function factOf({ name, keyId }: PaymentGateway): string {
  return `${name}-account:${keyId}`
}
