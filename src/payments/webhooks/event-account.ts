import { isDuplicateKey } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import type { GatewayEvent, PaymentGateway } from '../../gateways/payments.ts'
import { isUnknownToGateway } from '../settlement/order-of-payment.ts'

/**
 * Whether an event is of the account that our key belongs to. Nothing tells us our account's id, so it is learned
 * from the first event whose payment the gateway confirms to this key; a test event on a live server never is.
 */
export async function isOurAccount(
  { db }: Uses<'db'>,
  gateway: PaymentGateway,
  { account, payment }: GatewayEvent,
): Promise<boolean> {
  const name = `${gateway.name}-account:${gateway.keyId}`
  const known = await db.orm.facts.where({ name }).first()
  if (known) return known.value === account
  try {
    await gateway.fetchPayment(payment.id)
  } catch (failure) {
    if (isUnknownToGateway(failure)) return false
    throw failure
  }
  if (account === null) return true
  try {
    await db.orm.facts.create({ name, value: account })
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
  }
  return true
}
