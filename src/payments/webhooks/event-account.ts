import { isDuplicateKey } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import type { GatewayEvent, PaymentGateway } from '../../gateways/payments.ts'
import { isUnknownToGateway } from '../settlement/order-of-payment.ts'

/** How an event ended that was signed for us and is of an account that is not ours. */
export const ANOTHER_ACCOUNT = 'another account'

/**
 * What a stored event tells, null when it is about no payment. Where the gateway has to be asked about its
 * payment and knows none, the event is of another account.
 */
export async function openOwnEvent(
  deps: Uses<'db'>,
  gateway: PaymentGateway,
  body: string,
): Promise<GatewayEvent | typeof ANOTHER_ACCOUNT | null> {
  try {
    const event = await gateway.openEvent(body)
    return event === null || (await isOurAccount(deps, gateway, event)) ? event : ANOTHER_ACCOUNT
  } catch (failure) {
    if (isUnknownToGateway(failure)) return ANOTHER_ACCOUNT
    throw failure
  }
}

/**
 * Whether an event is of the account that our key belongs to. Nothing tells us our account's id, so it is
 * learned from the first event whose payment the gateway confirms to this key; a test event on a live server
 * never is. An event that names no account has its payment confirmed each time.
 */
async function isOurAccount(
  { db }: Uses<'db'>,
  gateway: PaymentGateway,
  { account, payment }: GatewayEvent,
): Promise<boolean> {
  const name = `${gateway.name}-account:${gateway.keyId}`
  const known = account === null ? null : await db.orm.facts.where({ name }).first()
  if (known) return known.value === account
  await gateway.fetchPayment(payment.id)
  if (account === null) return true
  try {
    await db.orm.facts.create({ name, value: account })
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
  }
  return true
}
