// Our order is written first, the gateway's second with our id as its reference, and then the two are linked; whoever
// dies in between, or never hears the answer, finds it again by the reference.
import type { Actor } from '../../auth/sessions.ts'
import { holdUse } from '../../coupons/uses.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import type { Checkout } from '../../gateways/payments.ts'
import { priceCart, type Cart, type NewOrder } from '../../orders/cart.ts'
import { graceEndOf } from '../../orders/expiry.ts'
import { requireOrder, showOrder, type Order, type OrderDocument } from '../../orders/order.ts'
import { transitionOrder } from '../../orders/transitions.ts'
import { type PaymentDeps, gatewayOf } from '../deps.ts'
import { findBuyer } from '../settlement/buyer.ts'
import { fulfill, fulfillById } from '../settlement/fulfillment.ts'
import { linkOrder } from '../settlement/order-of-payment.ts'
import { openOrder } from './open-order.ts'
import { giveUpOldHolds } from './orders-over.ts'

/**
 * Opens an order, or answers the one that is open for this very cart. A zero total is fulfilled at once. Throws what
 * pricing a cart throws, COUPON_USED_UP, TOO_MANY_OPEN_ORDERS, ORDER_CLOSED, CHANGED_MEANWHILE and
 * GatewayFailure.
 */
export async function createOrder(
  deps: PaymentDeps,
  actor: Actor,
  input: NewOrder,
): Promise<{ order: Order; checkout: Checkout | null }> {
  if (input.couponCode !== undefined) await giveUpOldHolds(deps, actor.id)
  const cart = await priceCart(deps, actor, input)
  const { order, isNew } = await openOrder(deps, actor, cart)
  if (cart.coupon) await holdCoupon(deps, order, cart.coupon)
  if (order.amountPaise === 0) {
    await fulfillFree(deps, order)
    return { order: await showOrder(deps, order._id), checkout: null }
  }
  const id = await ensureGatewayOrder(deps, order, { isNew })
  const checkout = await checkoutOf(deps, actor, { ...order, gatewayOrderId: id })
  return { order: await showOrder(deps, order._id), checkout }
}

async function checkoutOf(
  deps: Uses<'now' | 'gateways' | 'settings'>,
  { name, email }: Actor,
  order: OrderDocument & { gatewayOrderId: string },
): Promise<Checkout> {
  const { gatewayOrderId: id, amountPaise, currency } = order
  const timeout = secondsLeft(deps, order)
  const shown = { shop: deps.settings.appName, buyer: { name, email }, timeout }
  return gatewayOf(deps, order).checkoutOf({ id, amountPaise, currency }, shown)
}

const LEAST_SECONDS = 5 * 60

/** Whoever comes back at the last moment has some of the grace as well: nobody pays in a few seconds. */
function secondsLeft(deps: Uses<'now' | 'settings'>, order: OrderDocument): number {
  const until = (time: Date) => Math.floor((time.getTime() - deps.now().getTime()) / 1_000)
  const most = until(graceEndOf(deps, order))
  return Math.max(1, until(order.expiresAt), Math.min(LEAST_SECONDS, most))
}

/** An order whose coupon cannot be held must not be paid, so it is closed before the gateway hears of it. */
async function holdCoupon(
  deps: Uses<'db' | 'now' | 'settings'>,
  order: OrderDocument,
  coupon: NonNullable<Cart['coupon']>,
): Promise<void> {
  try {
    const heldUntil = graceEndOf(deps, order)
    await holdUse(deps, coupon, { orderId: order._id, userId: order.userId, heldUntil })
  } catch (error) {
    if (error instanceof DomainError) {
      await transitionOrder(deps, {
        id: order._id,
        from: ['CREATED'],
        where: { gatewayOrderId: null },
        set: { status: 'EXPIRED' },
        note: { event: 'closed', detail: 'its coupon could not be held' },
      })
    }
    throw error
  }
}

async function fulfillFree(deps: PaymentDeps, order: OrderDocument): Promise<void> {
  const paid = await transitionOrder(deps, {
    id: order._id,
    from: ['CREATED'],
    where: { amountPaise: 0 },
    set: { status: 'PAID', paidAt: deps.now() },
    note: { event: 'nothing to pay' },
  })
  if (paid) await fulfill(deps, paid, await findBuyer(deps, order.userId))
  else await fulfillById(deps, order._id)
}

/** The gateway's order for ours, made or found; ours may be closed meanwhile. */
async function ensureGatewayOrder(
  deps: Uses<'db' | 'now' | 'gateways'>,
  order: OrderDocument,
  { isNew }: { isNew: boolean },
): Promise<string> {
  if (order.gatewayOrderId) return order.gatewayOrderId
  const { _id: reference, amountPaise, currency } = order
  const gateway = gatewayOf(deps, order)
  const earlier = isNew ? null : await gateway.findOrder(reference)
  const isSame = earlier?.amountPaise === amountPaise && earlier.currency === currency
  const theirs = isSame ? earlier : await gateway.createOrder({ reference, amountPaise, currency })
  await linkOrder(deps, order._id, theirs)
  const { gatewayOrderId } = await requireOrder(deps, order._id)
  if (!gatewayOrderId) throw new DomainError('ORDER_CLOSED')
  return gatewayOrderId
}
