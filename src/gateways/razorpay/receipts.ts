import { GatewayFailure } from '../gateway-failure.ts'
import { malformed, conflict, unreadable } from './failure.ts'
import { type RazorpayOrder, OrderAnswer, requireAmount } from './shapes.ts'
import { pageOf } from './unreadable.ts'
import type { Wire } from './wire.ts'

export type NewRazorpayOrder = {
  amountPaise: number
  currency: string
  /** At most 40 of A-Z a-z 0-9 _ -, one per order of ours. */
  receipt: string
  notes?: Record<string, string>
}

/** An order under a receipt of ours, made or found: a lost answer, or a receipt used already, is looked up. */
export async function createOrder(
  wire: Wire,
  { amountPaise, currency, receipt, notes = {} }: NewRazorpayOrder,
): Promise<RazorpayOrder> {
  requireReceipt(receipt)
  requireAmount(amountPaise)
  const order = await wire({
    answer: OrderAnswer,
    isRepeatable: false,
    run: (sdk) => sdk.orders.create({ amount: amountPaise, currency, receipt, notes }),
  }).catch(async (failure: unknown) => {
    const found = mayExist(failure)
      ? await findOrderByReceipt(wire, receipt).catch(() => null)
      : null
    if (found) return found
    throw failure
  })
  if (
    order.amountPaise === amountPaise &&
    order.currency === currency &&
    order.receipt === receipt
  ) {
    return order
  }
  throw conflict('the receipt stands for another order')
}

/** Null where there is none, or none yet: the list lags behind by minutes. */
export async function findOrderByReceipt(
  wire: Wire,
  receipt: string,
): Promise<RazorpayOrder | null> {
  requireReceipt(receipt)
  const orders = await wire({
    answer: pageOf('order', OrderAnswer),
    isRepeatable: true,
    run: (sdk) => sdk.orders.all({ receipt, count: 100 }),
  })
  const same = orders.items.filter((order) => order.receipt === receipt)
  // It may be the very one: another must not be made beside it.
  const [odd] = orders.unreadable
  if (odd && same.length === 0) throw unreadable(odd)
  // Where receipts may repeat, the order that a buyer got to is the one that counts.
  return (
    same.find(({ status }) => status === 'paid') ??
    same.find(({ status }) => status === 'attempted') ??
    same[0] ??
    null
  )
}

function mayExist(failure: unknown): boolean {
  if (!(failure instanceof GatewayFailure)) return false
  return !failure.unsent || /receipt should be unique/i.test(failure.description)
}

function requireReceipt(receipt: string): void {
  if (!/^[A-Za-z0-9_-]{1,40}$/.test(receipt)) throw malformed('not a receipt')
}
