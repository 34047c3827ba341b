// Our order is written first, the gateway's second with our id as its reference, and then the two are linked; whoever
// dies in between, or never hears the answer, finds it again by the reference.
import type { Actor } from '../../auth/sessions.ts'
import { holdUse } from '../../coupons/uses.ts'
import type { Uses } from '../../deps.ts'
import { DomainError } from '../../errors.ts'
import type { Checkout } from '../../gateways/payments.ts'
import { priceCart, type Cart, type NewOrder } from '../../orders/cart.ts'
import { requireOrder, showOrder, type Order, type OrderDocument } from '../../orders/order.ts'
import { transitionOrder } from '../../orders/transitions.ts'
import { type PaymentDeps, gatewayOf } from '../deps.ts'
import { findBuyer } from '../settlement/buyer.ts'
import { fulfill, fulfillById } from '../settlement/fulfillment.ts'
import { linkOrder } from '../settlement/order-of-payment.ts'
import { openOrder } from './open-order.ts'

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
  deps: Uses<'gateways' | 'settings'>,
  { name, email }: Actor,
  order: OrderDocument & { gatewayOrderId: string },
): Promise<Checkout> {
  const { gatewayOrderId: id, amountPaise, currency } = order
  const shown = { shop: deps.settings.appName, buyer: { name, email } }
  return gatewayOf(deps, order).checkoutOf({ id, amountPaise, currency }, shown)
}

/** An order whose coupon cannot be held must not be paid, so it is closed before the gateway hears of it. */
async function holdCoupon(
  deps: Uses<'db' | 'now'>,
  order: OrderDocument,
  coupon: NonNullable<Cart['coupon']>,
): Promise<void> {
  try {
    await holdUse(deps, coupon, { orderId: order._id, userId: order.userId })
  } catch (error) {
    if (error instanceof DomainError) {
      await transitionOrder(deps, {
        id: order._id,
        from: ['CREATED'],
        where: { gatewayOrderId: null },
        set: { status: 'EXPIRED' },
        note: { event: 'closed', detail: 'the coupon is used up' },
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
