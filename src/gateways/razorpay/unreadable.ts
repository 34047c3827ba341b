// What is not of the documented shape, by the ids that it does have.
import { z } from 'zod'
import type { EntityKind, UnreadableEntity } from '../gateway-failure.ts'
import type { GatewayPage } from '../payments.ts'
import { isRazorpayId } from './ids.ts'
import { NAME } from './name.ts'

const Ids = z.object({ id: z.unknown(), order_id: z.unknown(), payment_id: z.unknown() }).partial()

/** `error` is what the entity's own shape said of it. */
export function unreadableOf(kind: EntityKind, raw: unknown, error: z.ZodError): UnreadableEntity {
  const { id, order_id: orderId, payment_id: paymentId } = Ids.safeParse(raw).data ?? {}
  const own = isRazorpayId(kind, id) ? id : null
  return {
    gateway: NAME,
    kind,
    id: own,
    orderId: kind === 'order' ? own : isRazorpayId('order', orderId) ? orderId : null,
    paymentId: kind === 'payment' ? own : isRazorpayId('payment', paymentId) ? paymentId : null,
    isOfNoOrder: kind === 'payment' && orderId === null,
    reason: faultsOf(error),
  }
}

/** The names of the odd fields; what is in them is the buyer's. */
export function faultsOf(error: z.ZodError): string {
  const names = error.issues.map(({ path }) => path.join('.') || 'body')
  return names.slice(0, 5).join(', ')
}

/** A list, or a page of one. Other products share the account: an item of theirs must not hide ours. */
export function pageOf<T>(kind: EntityKind, answer: z.ZodType<T>): z.ZodType<GatewayPage<T>> {
  return z.object({ items: z.array(z.unknown()) }).transform(({ items: given }) => {
    const page: GatewayPage<T> = { items: [], unreadable: [] }
    for (const item of given) {
      const { data, error } = answer.safeParse(item)
      if (error) page.unreadable.push(unreadableOf(kind, item, error))
      else page.items.push(data)
    }
    return page
  })
}
