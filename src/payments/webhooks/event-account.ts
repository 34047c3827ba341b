import { isDuplicateKey } from '../../db.ts'
import type { Till } from '../deps.ts'
import { isUnknown } from '../settlement/order-of-payment.ts'

/**
 * Whether an event is of the account that our key belongs to. Nothing tells us our account's id, so it is learned
 * from the first event whose payment Razorpay confirms to this key; a test event on a live server never is.
 */
export async function isOurAccount(
  { db, razorpay }: Till,
  accountId: string,
  paymentId: string,
): Promise<boolean> {
  const name = `razorpay-account:${razorpay.keyId}`
  const known = await db.orm.facts.where({ name }).first()
  if (known) return known.value === accountId
  const isAccount = /^acc_[A-Za-z0-9]{14}$/.test(accountId)
  try {
    await razorpay.fetchPayment(paymentId)
  } catch (failure) {
    if (isUnknown(failure)) return false
    throw failure
  }
  if (!isAccount) return true
  try {
    await db.orm.facts.create({ name, value: accountId })
  } catch (error) {
    if (!isDuplicateKey(error)) throw error
  }
  return true
}
