// Our order is written first, the gateway's second with our id as its reference, and then the two are linked; whoever
// dies in between, or never hears the answer, finds it again by the reference.
import { ObjectId } from 'mongodb'
import type { Actor } from '../../auth/sessions.ts'
import { holdUse } from '../../coupons/uses.ts'
import { isDuplicateKey } from '../../db.ts'
import type { Uses } from '../../deps.ts'
import { MINUTE_MS } from '../../durations.ts'
import { DomainError } from '../../errors.ts'
import type { Checkout } from '../../gateways/payments.ts'
import { openKeyOf, priceCart, type Cart, type NewOrder } from '../../orders/cart.ts'
import { expire } from '../../orders/expiry.ts'
import { requireOrder, showOrder, type Order, type OrderDocument } from '../../orders/order.ts'
import { entryOf, transitionOrder } from '../../orders/transitions.ts'
import { type PaymentDeps, gatewayOf } from '../deps.ts'
import { findBuyer } from '../settlement/buyer.ts'
import { fulfill, fulfillById } from '../settlement/fulfillment.ts'
import { linkOrder } from '../settlement/order-of-payment.ts'

const OPEN_MINUTES = 60
const MOST_OPEN = 20

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

async function openOrder(
  deps: Uses<'db' | 'now' | 'gateways'>,
  actor: Actor,
  cart: Cart,
): Promise<{ order: OrderDocument; isNew: boolean }> {
  const openKey = openKeyOf(actor.id, cart)
  await requireFewOpen(deps, actor, openKey)
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const at = deps.now()
    try {
      const order = await deps.db.orm.orders.create({
        userId: actor.id,
        status: 'CREATED',
        currency: cart.currency,
        amountPaise: cart.amountPaise,
        discountPaise: cart.discountPaise,
        lines: cart.lines,
        openKey,
        couponCode: cart.coupon?.code ?? null,
        gateway: deps.gateways.forNewOrders.name,
        gatewayOrderId: null,
        paymentId: null,
        reviewReason: null,
        timeline: [entryOf(at, { event: 'created' })],
        expiresAt: new Date(at.getTime() + OPEN_MINUTES * MINUTE_MS),
        checkedAt: at,
        paidAt: null,
        fulfilledAt: null,
        createdAt: at,
        updatedAt: at,
      })
      return { order, isNew: true }
    } catch (error) {
      if (!isDuplicateKey(error)) throw error
    }
    const order = await deps.db.orm.orders.where({ openKey }).first()
    // At a gateway that is configured no more nobody can pay it.
    const isOpen = order !== null && order.expiresAt > at && deps.gateways.has(order.gateway)
    if (isOpen) return { order, isNew: false }
    if (order) await expire(deps, order)
  }
  throw new DomainError('CHANGED_MEANWHILE')
}

/** Each open order is one to ask the gateway about, every minute: nobody may open them without end. */
async function requireFewOpen(
  deps: Uses<'db' | 'now'>,
  actor: Actor,
  openKey: string,
): Promise<void> {
  const open = await deps.db.driver.collection('orders').countDocuments(
    {
      userId: new ObjectId(actor.id),
      status: 'CREATED',
      expiresAt: { $gt: deps.now() },
      openKey: { $ne: openKey },
    },
    { limit: MOST_OPEN },
  )
  if (open >= MOST_OPEN) throw new DomainError('TOO_MANY_OPEN_ORDERS', { retryAfterSeconds: 60 })
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
        unset: ['openKey'],
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
    unset: ['openKey'],
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
